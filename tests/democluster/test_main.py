"""The program: it starts fast, tells where it is, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.democluster.running import (
    ROOT,
    RunningDemoCluster,
    end_democluster,
    running_democluster,
    start_democluster,
    wait_until,
)

SECOND_START_SECONDS = 1.0
"""How fast a second start must be, in processor time: the machine may be busy with other tests."""


def processes_below(directory: Path) -> list[int]:
    """Return what runs with a HOME in the directory of a demo cluster."""
    mark = b"HOME=" + os.fsencode(directory)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.fixture
def started(tmp_path: Path) -> Iterator[RunningDemoCluster]:
    with running_democluster(tmp_path / "demo") as running:
        wait_until(lambda: len(processes_below(running.directory)) >= 10)
        yield running


def daemonize(running: RunningDemoCluster) -> None:
    """Leave a daemon of a new session in a container, as far from us as a process can be."""
    home = next(Path(f"/proc/{pid}/cwd").resolve() for pid in processes_below(running.directory))
    process = subprocess.Popen(
        ["setsid", "sleep", "1000"],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        start_new_session=True,
    )
    process.returncode = 0  # It is not ours to wait for.


def test_it_prints_where_the_kubeconfig_is_and_warns(started: RunningDemoCluster) -> None:
    config = yaml.safe_load(started.kubeconfig.read_text())

    assert config["current-context"] == "demo"
    assert config["clusters"][0]["name"] == "demo"
    assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    assert "a shell on this machine" in (started.directory / "stderr").read_text()
    for name in ("alice", "bob", "app"):
        user = yaml.safe_load(started.user_kubeconfig(name).read_text())
        assert user["users"][0]["user"]["token"] != config["users"][0]["user"]["token"]


def test_secrets_are_for_their_owner_only(started: RunningDemoCluster) -> None:
    secret = [started.kubeconfig, started.user_kubeconfig("bob"), started.directory / "tokens.json"]
    secret += [started.directory / "server.key"]

    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_it_listens_on_loopback_only(started: RunningDemoCluster) -> None:
    inodes = {
        os.readlink(entry)
        for entry in Path(f"/proc/{started.pid}/fd").iterdir()
        if entry.is_symlink()
    }
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{started.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                listening.append(fields[1].partition(":")[0])

    assert listening == ["0100007F"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_end_is_the_end_of_everything_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    running = start_democluster(tmp_path)
    wait_until(lambda: len(processes_below(tmp_path)) >= 10)

    os.kill(running.pid, number)
    code = running.process.wait(10)
    end_democluster(running.process)

    assert code == 0
    assert processes_below(tmp_path) == []
    assert not (tmp_path / "nodes").exists()


def test_what_a_killed_one_left_is_ended_by_the_next(tmp_path: Path) -> None:
    killed = start_democluster(tmp_path)
    wait_until(lambda: len(processes_below(tmp_path)) >= 10)
    daemonize(killed)
    os.kill(killed.pid, signal.SIGKILL)
    killed.process.wait()
    end_democluster(killed.process)
    assert processes_below(tmp_path) != []
    before = set(processes_below(tmp_path))

    with running_democluster(tmp_path):
        wait_until(lambda: len(processes_below(tmp_path)) >= 10)
        assert not before & set(processes_below(tmp_path))
    assert processes_below(tmp_path) == []


def test_second_start_keeps_authority_and_tokens_and_is_fast(tmp_path: Path) -> None:
    with running_democluster(tmp_path) as first:
        before = yaml.safe_load(first.kubeconfig.read_text())
    with running_democluster(tmp_path) as second:
        fields = Path(f"/proc/{second.pid}/stat").read_text().rpartition(")")[2].split()
        took = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        after = yaml.safe_load(second.kubeconfig.read_text())

    assert before["users"] == after["users"]
    authority = "certificate-authority-data"
    assert before["clusters"][0]["cluster"][authority] == after["clusters"][0]["cluster"][authority]
    assert took < SECOND_START_SECONDS


def test_two_cannot_share_a_directory(started: RunningDemoCluster) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "democluster", "--directory", str(started.directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert second.returncode == 1
    assert "another one runs in" in second.stderr


def test_port_in_use_gets_one_clear_line(started: RunningDemoCluster, tmp_path: Path) -> None:
    config = yaml.safe_load(started.kubeconfig.read_text())
    port = config["clusters"][0]["cluster"]["server"].rpartition(":")[2]

    second = subprocess.run(
        [sys.executable, "-m", "democluster", "--directory", str(tmp_path / "b"), "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert second.returncode == 1
    assert "address already in use" in second.stderr
    assert "Traceback" not in second.stderr
