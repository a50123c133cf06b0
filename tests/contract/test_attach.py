"""Attach: joining the main process of a container."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.client import STDERR, STDIN, STDOUT, V4, V5, Api, size_line
from tests.contract.conftest import BUSYBOX, START_SECONDS, ContractCluster, container, pod

PROTOCOLS = [V5, V4]


def options(*wanted: str) -> list[tuple[str, str]]:
    return [("container", "main"), *((name, "true") for name in wanted)]


async def running(api: Api, cluster: ContractCluster, name: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while (await api.get(f"{cluster.pods}/{name}")).json["status"].get("phase") != "Running":
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_console_answers_and_takes_its_size(
    api: Api, cluster: ContractCluster, protocol: str
) -> None:
    path = f"{cluster.pods}/console/attach"
    wanted = options("stdin", "stdout", "tty")
    async with api.stream(path, wanted, protocols=[protocol]) as stream:
        assert stream.subprotocol == protocol
        await stream.resize(101, 41)
        await stream.answers(size_line(101, 41, b"\r"), b"41 101\r\n")
        outcome = await stream.answers(b"echo mark-$((40 + 2))\r", b"mark-42")

    assert outcome.frames[0] == (STDOUT, b"")
    assert outcome.of(STDERR) == b""
    # Leaving never signals the process: the same shell answers the next one.
    async with api.stream(path, wanted, protocols=[protocol]) as stream:
        await stream.answers(b"echo again-$((40 + 3))\r", b"again-43")
    found = (await api.get(f"{cluster.pods}/console")).json
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_only_what_is_written_from_now_on_is_seen(
    api: Api, cluster: ContractCluster, protocol: str
) -> None:
    path = f"{cluster.pods}/talker/attach"
    async with api.stream(path, options("stdout", "stderr"), protocols=[protocol]) as stream:
        outcome = await stream.until_output(b"tick\n")

    assert b"first" not in outcome.of(STDOUT)


async def test_two_see_the_same(api: Api, cluster: ContractCluster) -> None:
    path = f"{cluster.pods}/talker/attach"
    async with (
        api.stream(path, options("stdout")) as one,
        api.stream(path, options("stdout")) as two,
    ):
        await one.until_output(b"tick\n")
        await two.until_output(b"tick\n")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_end_of_the_main_process_is_a_success_whatever_its_code(
    api: Api, cluster: ContractCluster, protocol: str
) -> None:
    name = f"ending-{protocol[:2]}"
    # It is told its code once it is seen to be heard.
    script = "until read -r -t 1 code; do echo waiting; done; echo bye; exit $code"
    made = pod(
        name, container("main", BUSYBOX, "sh", "-c", script, stdin=True), restartPolicy="Never"
    )
    await api.call("POST", cluster.pods, made)
    await running(api, cluster, name)
    wanted = options("stdin", "stdout", "stderr")
    async with api.stream(f"{cluster.pods}/{name}/attach", wanted, protocols=[protocol]) as stream:
        await stream.until_output(b"waiting\n")
        await stream.send(STDIN, b"9\n")
        outcome = await stream.until_end()

    assert outcome.of(STDOUT).endswith(b"waiting\nbye\n")
    assert outcome.exit_code == 0
    async with asyncio.timeout(START_SECONDS):
        while True:
            status = (await api.get(f"{cluster.pods}/{name}")).json["status"]
            if status["phase"] == "Failed":
                break
            await asyncio.sleep(0.1)
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 9
