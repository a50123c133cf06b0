"""Containers: private places, clean environments, nodes of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contract.client import STDIN, STDOUT, Access, Api, exec_options
from tests.democluster.running import RunningDemoCluster, democluster

__all__ = ["democluster"]


@pytest.fixture
async def api(democluster: RunningDemoCluster) -> AsyncIterator[Api]:
    async with Api(Access.of(democluster.kubeconfig)) as opened:
        yield opened


async def pods_of(api: Api, app: str, count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while True:
            items = (await api.get(f"/api/v1/pods?labelSelector=app%3D{app}")).json["items"]
            running = [item for item in items if item["status"]["phase"] == "Running"]
            if len(running) >= count:
                return running
            await asyncio.sleep(0.05)


def path_of(pod: dict[str, Any]) -> str:
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


async def run(api: Api, pod: dict[str, Any], *command: str, container: str = "") -> str:
    name = container or pod["spec"]["containers"][0]["name"]
    async with api.stream(f"{path_of(pod)}/exec", exec_options(name, *command)) as stream:
        outcome = await stream.until_end()
    return outcome.of(STDOUT).decode()


async def test_environment_is_the_containers_own(api: Api) -> None:
    (pod,) = await pods_of(api, "worker")

    text = await run(api, pod, "env")

    env = dict(line.split("=", 1) for line in text.splitlines())
    assert set(env) <= {"PATH", "HOSTNAME", "LANG", "HOME", "PWD", "OLDPWD", "SHLVL", "_"}
    assert env["HOSTNAME"] == pod["metadata"]["name"]
    assert env["HOME"].endswith(f"{pod['metadata']['uid']}/worker")
    assert "PYTEST_CURRENT_TEST" in os.environ


async def test_every_container_has_a_place_of_its_own(api: Api) -> None:
    one, two, three = await pods_of(api, "web", 3)

    await run(api, one, "sh", "-c", "echo mine > note")

    assert await run(api, one, "cat", "note") == "mine\n"
    assert await run(api, two, "ls") == await run(api, three, "ls") == "conf\nhtml\n"


async def test_shell_shows_the_pod_and_the_directory(api: Api) -> None:
    (pod,) = await pods_of(api, "worker")
    options = exec_options("worker", "bash", tty=True, stdin=True)
    async with api.stream(f"{path_of(pod)}/exec", options) as stream:
        await stream.until_output(f"@{pod['metadata']['name']}:/".encode())
        await stream.send(STDIN, b"mkdir -p sub/dir; cd sub/dir\r")
        await stream.until_output(f"@{pod['metadata']['name']}:/sub/dir".encode())


async def test_small_container_has_sh_and_no_bash(api: Api) -> None:
    (pod,) = await pods_of(api, "catalog")
    script = "command -v bash || echo no bash; command -v sh"

    assert (await run(api, pod, "sh", "-c", script, container="catalog")).endswith(
        "/bash\n"
    ) is False
    small = await run(api, pod, "sh", "-c", script, container="cache")

    assert small.startswith("no bash\n")


async def test_nodes_have_files_of_their_own(api: Api) -> None:
    one, two = await pods_of(api, "node-agent", 2)

    assert {pod["spec"]["nodeName"] for pod in (one, two)} == {"demo-1", "demo-2"}
    read = ("cat", "node/var/log/node.log")
    assert await run(api, one, *read) != await run(api, two, *read)


async def test_task_runner_writes_a_directory_per_task_on_its_node(
    api: Api,
    democluster: RunningDemoCluster,
) -> None:
    (pod,) = await pods_of(api, "runner")
    tasks = democluster.directory / "nodes" / pod["spec"]["nodeName"] / "var/log/tasks"

    async with asyncio.timeout(10):
        while not list(tasks.glob("task-*/stdout")):
            await asyncio.sleep(0.05)

    assert "step 1 of 5" in next(tasks.glob("task-*/stdout")).read_text()


async def test_greeter_writes_wide_characters(api: Api) -> None:
    (pod,) = await pods_of(api, "greeter")
    async with api.lines(f"{path_of(pod)}/log?follow=true") as body, asyncio.timeout(20):
        text = "".join([(await body.readline()).decode() for _ in range(4)])

    assert any(word in text for word in ("你好", "안녕하세요", "こんにちは", "👋"))


async def test_deleted_pod_takes_its_processes_and_files_along(
    api: Api,
    democluster: RunningDemoCluster,
) -> None:
    (pod,) = await pods_of(api, "worker")
    home = (await run(api, pod, "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & pwd")).strip()

    await api.call("DELETE", path_of(pod))
    async with asyncio.timeout(10):
        while (await api.get(path_of(pod))).status != 404:
            await asyncio.sleep(0.05)

    assert not os.path.exists(home)
    marked = [pid for pid in os.listdir("/proc") if pid.isdigit() and _has_home(pid, home)]
    assert marked == []
    assert (await pods_of(api, "worker"))[0]["metadata"]["uid"] != pod["metadata"]["uid"]


async def test_watch_from_before_the_history_is_told_to_list_again(api: Api) -> None:
    async with api.lines("/api/v1/pods?watch=1&resourceVersion=1") as body:
        line = await body.readline()

    assert b'"type":"ERROR"' in line
    assert b'"code":410' in line
    assert b'"reason":"Expired"' in line


async def test_output_that_nobody_reads_stays_in_the_container(
    api: Api,
    democluster: RunningDemoCluster,
) -> None:
    (pod,) = await pods_of(api, "worker")
    options = exec_options("worker", "sh", "-c", "yes | head -c 200000000")
    async with api.stream(f"{path_of(pod)}/exec", options) as stream:
        await stream.until_output(b"y\n" * 100)
        await asyncio.sleep(1.0)
        grown = _resident_mib(democluster.pid)

    assert grown < 150


def _resident_mib(pid: int) -> float:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _has_home(pid: str, home: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"HOME={home}\0".encode() in file.read()
    except OSError:
        return False
