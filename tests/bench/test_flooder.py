"""A flood in another process, through a real server of a peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import terminado
from bench.flooder import flooder
from bench.screen import Screen
from bench.web_peer import WebPeer, running_web_peer

SHELL = ["env", "PS1=# ", "sh"]


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[WebPeer]:
    """A peer that serves a local shell."""
    command = terminado.server_command(SHELL)
    async with running_web_peer(terminado.TerminadoShell, command, tmp_path / "log") as running:
        yield running


@dataclass(frozen=True)
class NoWay:
    """A way in that leads nowhere."""

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[Screen]:
        """Fail to open one."""
        raise ConnectionError("nobody is there")
        yield


async def test_somebody_else_floods_and_stops_as_told(peer: WebPeer) -> None:
    async with flooder(peer.way()) as other:
        for _ in range(2):
            await other.start()
            assert await other.stop() > len("y\r\ny\r\n")


async def test_who_cannot_come_in_is_reported() -> None:
    with pytest.raises(ConnectionError, match="the client that floods has ended"):
        async with flooder(NoWay()):
            pass
