"""A demonstration starts, stays, and leaves nothing behind. Its programs are stand-ins here."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

from deploy.demo.machine import free_port
from tests.demo.project import Project, wait_until


def test_ready_line_follows_the_accounts(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port), HATCHWAY_DEMO_PASSWORD="a-given-password")

    address = run.until_ready()

    assert address == f"http://127.0.0.1:{port}/"
    accounts = "Demo accounts: alice.\nPassword of all of them: a-given-password\n"
    assert run.text.index(accounts) < run.text.index("Hatchway is ready")
    assert run.interrupt() == 0


def test_second_start_makes_nothing_again(project: Project, port: int) -> None:
    for _ in range(2):
        run = project.start("demo", HATCHWAY_PORT=str(port))
        run.until_ready()
        assert run.interrupt() == 0

    for made in ("environment", "packages", "frontend", "database", "accounts ..."):
        assert made not in run.text


def test_random_password_stays_the_same(project: Project, port: int) -> None:
    said = []
    for _ in range(2):
        run = project.start("demo", HATCHWAY_PORT=str(port))
        run.until_ready()
        run.interrupt()
        said.append(next(line for line in run.text.splitlines() if line.startswith("Password")))

    assert said[0] == said[1]
    password = said[0].removeprefix("Password of all of them: ")
    assert len(password) == 12
    assert (project.folder / ".demo" / "password").stat().st_mode & 0o077 == 0


def test_ctrl_c_ends_also_what_the_children_started(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port))
    run.until_ready()
    assert len(project.processes()) >= 4  # runner, cluster, its child, web server

    assert run.interrupt() == 0

    assert project.processes() == []
    assert run.text.endswith("Hatchway has ended.\n")


def test_sigterm_ends_it_too(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port))
    run.until_ready()

    run.process.send_signal(signal.SIGTERM)

    assert run.process.wait(60) == 0


def test_ctrl_c_in_the_middle_of_a_start_ends_it(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port))
    wait_until(lambda: any("democluster" in line for line in project.processes()))

    assert run.interrupt() == 0


def test_child_that_dies_is_named_and_ends_the_rest(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port))
    run.until_ready()

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/die")
    connection.getresponse().read()
    connection.close()

    assert run.process.wait(60) == 1
    assert "The web server ended with exit code 3. The last lines of" in run.text
    assert "the last words" in run.text


def test_server_that_cannot_start_is_named(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port), HATCHWAY_TEST_BROKEN="1")

    assert run.process.wait(60) == 1
    assert "The web server ended with exit code 1" in run.text
    assert "cannot work" in run.text


def test_given_kubeconfig_replaces_the_demo_cluster(project: Project, port: int) -> None:
    kubeconfig = project.write("my kubeconfig", "")
    run = project.start("demo", "--kubeconfig", str(kubeconfig), HATCHWAY_PORT=str(port))
    run.until_ready()

    assert not any("democluster" in line for line in project.processes())
    assert str(kubeconfig) in (project.folder / ".demo" / "log" / "web.log").read_text()
    assert run.interrupt() == 0


def test_missing_kubeconfig_gets_one_line(project: Project, tmp_path: Path) -> None:
    run = project.start("demo", "--kubeconfig", str(tmp_path / "nowhere"))

    assert run.process.wait(60) == 1
    assert run.text == f"There is no kubeconfig {tmp_path / 'nowhere'}.\n"


def test_port_in_use_gets_one_line(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = project.start("demo", HATCHWAY_PORT=str(port))

        assert run.process.wait(60) == 1

    assert run.text.count("\n") == 1
    assert f"Port {port} " in run.text


def test_second_runner_in_the_same_folder_is_refused(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port))
    run.until_ready()

    second = project.start("demo", HATCHWAY_PORT=str(free_port()))

    assert second.process.wait(60) == 1
    assert "already runs" in second.text
    assert run.interrupt() == 0


def test_too_short_password_is_refused(project: Project, port: int) -> None:
    run = project.start("demo", HATCHWAY_PORT=str(port), HATCHWAY_DEMO_PASSWORD="short")

    assert run.process.wait(60) == 1
    assert "HATCHWAY_DEMO_PASSWORD is too short" in run.text
