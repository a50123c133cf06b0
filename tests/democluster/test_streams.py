"""Streams of the demo cluster leave nothing behind and keep their clients apart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from tests.contract.client import STDIN, V4, V5, Access, Api, exec_options
from tests.democluster.running import RunningDemoCluster, democluster

__all__ = ["democluster"]

PATH = "/api/v1/namespaces/default/pods/greeter/exec"
CYCLES = 40


@pytest.fixture
async def api(democluster: RunningDemoCluster) -> AsyncIterator[Api]:
    async with Api(Access.of(democluster.kubeconfig)) as opened:
        async with asyncio.timeout(20):
            pod = PATH.removesuffix("/exec")
            while (await opened.get(pod)).json["status"]["phase"] != "Running":
                await asyncio.sleep(0.05)
        yield opened


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def test_many_streams_leave_no_descriptor(
    api: Api,
    democluster: RunningDemoCluster,
) -> None:
    before = descriptors(democluster.pid)
    for number in range(CYCLES):
        tty = number % 2 == 0
        options = exec_options("greeter", "sh", "-c", "read -r line", tty=tty, stdin=True)
        async with api.stream(PATH, options, protocols=[(V5, V4)[number % 3 == 0]]) as stream:
            await stream.until(lambda outcome: bool(outcome.frames))
            if number % 4 == 0:
                continue  # The client goes; the process of a terminal waits for its line on.
            await stream.send(STDIN, b"end\n")
            await stream.until_end()
    # What still waits for input on a terminal that nobody has is ended from outside.
    await end(api, "sh -c read -r line ")

    async with asyncio.timeout(10):
        # The connection of this test itself may come and go.
        while descriptors(democluster.pid) > before + 2:
            await asyncio.sleep(0.05)


async def test_flood_of_one_does_not_stop_another(api: Api) -> None:
    flood = exec_options("greeter", "yes", tty=True)
    async with api.stream(PATH, flood) as flooding:
        await flooding.until_output(b"y\r\ny\r\n")
        options = exec_options("greeter", "cat", tty=True, stdin=True)
        async with asyncio.timeout(5), api.stream(PATH, options) as typing:
            await typing.send(STDIN, b"echoed")
            await typing.until_output(b"echoed")
    await end(api, "yes ")


async def end(api: Api, command: str) -> None:
    """Kill what runs that command in the container, and nothing outside of it."""
    script = (
        "for p in /proc/[0-9]*; do "
        '[ "$(tr "\\0" " " <$p/cmdline)" = "$1" ] && '
        'tr "\\0" "\\n" <$p/environ | grep -qx "HOME=$HOME" && kill -9 ${p#/proc/}; '
        "done 2>/dev/null; true"
    )
    options = exec_options("greeter", "sh", "-c", script, "sh", command)
    async with api.stream(PATH, options) as stream:
        assert (await stream.until_end()).exit_code == 0
