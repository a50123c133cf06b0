"""Servers that are killed, stopped and restarted; people who sign out: nothing stays behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.other_client import Hatchway
from tests.e2e.person import ask, shell, sign_in, terminal
from tests.e2e.running import RunningHatchway, restarted, running_hatchway

REAL = "real/default/web/main"
DEADLINE = 60.0

pytestmark = pytest.mark.cluster


async def _session(client: Hatchway, session: str) -> dict[str, Any]:
    found: dict[str, Any] = await asyncio.to_thread(client.call, "GET", f"/api/sessions/{session}")
    return found


async def _until_async(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.1)


async def _is_running(client: Hatchway, mark: str) -> bool:
    """Ask the container itself whether a command line with `mark` is running there."""
    command = ["sh", "-c", 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " " | grep -c "$1"']
    ticket = await asyncio.to_thread(
        ask, client, REAL, shell="custom", command=[*command, "sh", f"[{mark[0]}]{mark[1:]}"]
    )
    async with terminal(client, ticket) as counting:
        await counting.hello()
        await counting.until(lambda: bool(counting.told("ended")))
        return int(counting.told("ended")[0]["exit_code"] or 0) == 0


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_stopping_a_server_ends_its_sessions_and_their_processes(
    server: str, real_kubeconfig: Path, tmp_path: Path
) -> None:
    with running_hatchway(
        tmp_path, real_kubeconfig, server=server, HATCHWAY_IDENTITY="impersonate"
    ) as first:
        client = await asyncio.to_thread(sign_in, first)
        async with shell(client, REAL) as typing:
            await typing.types(b"nohup setsid sleep 7100 &\r")
            await typing.types(b"sleep 7200\r")
            await typing.sees(b"sleep 7200")
            first.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(first.process.wait, 30)
        assert "server_drain" in first.manage(
            "shell",
            "-c",
            "from terminal.models import *; print(TerminalSession.objects.get().end_reason)",
        )
        with restarted(first, server) as port:
            again = await asyncio.to_thread(sign_in, port)
            assert not await _is_running(again, "sleep 7100")
            assert not await _is_running(again, "sleep 7200")


async def test_a_killed_server_leaves_no_process_behind(
    real_kubeconfig: Path, tmp_path: Path
) -> None:
    with running_hatchway(tmp_path, real_kubeconfig, HATCHWAY_IDENTITY="impersonate") as first:
        client = await asyncio.to_thread(sign_in, first)
        async with shell(client, REAL) as typing:
            session = typing.session
            await typing.types(b"sleep 7301 & nohup setsid sleep 7302 >/dev/null 2>&1 &\r")
            await typing.types(b"sleep 7303\r")
            await typing.sees(b"sleep 7303")
            assert await _is_running(client, "sleep 7303")
            first.process.kill()
            await asyncio.to_thread(first.process.wait, 10)
        with restarted(first) as second:
            again = await asyncio.to_thread(sign_in, second)

            async def is_closed() -> bool:
                return bool((await _session(again, session))["state"] == "ended")

            async def is_gone() -> bool:
                marks = ("sleep 7301", "sleep 7302", "sleep 7303")
                return not any([await _is_running(again, mark) for mark in marks])

            await _until_async(is_closed)
            await _until_async(is_gone)
            assert (await _session(again, session))["end_reason"] == "server_lost"


async def test_signing_out_ends_the_shell_and_what_runs_in_it(
    real: RunningHatchway,
) -> None:
    client = await asyncio.to_thread(sign_in, real)
    async with shell(client, REAL) as typing:
        await typing.types(b"sleep 7401\r")
        await typing.sees(b"sleep 7401")
        await asyncio.to_thread(client.call, "POST", "/api/sign-out", {})

        assert await typing.is_closed() == 4401
        assert typing.told("ended")[0]["data"]["why"] == "signed_out"
    again = await asyncio.to_thread(sign_in, real)

    async def is_gone() -> bool:
        return not await _is_running(again, "sleep 7401")

    await _until_async(is_gone)


async def test_an_administrator_ends_a_session_of_somebody_else(real: RunningHatchway) -> None:
    alice = await asyncio.to_thread(sign_in, real)
    admin = await asyncio.to_thread(sign_in, real, "admin")
    async with shell(alice, REAL) as typing:
        await typing.types(b"sleep 7501\r")
        await typing.sees(b"sleep 7501")
        await asyncio.to_thread(
            admin.call, "POST", f"/api/sessions/{typing.session}/terminate", {"reason": "lunch"}
        )

        assert await typing.is_closed() == 1000
        assert typing.told("ended")[0]["reason"] == "terminated"

    async def is_gone() -> bool:
        return not await _is_running(alice, "sleep 7501")

    await _until_async(is_gone)
