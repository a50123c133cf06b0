"""The peer terminado: a Python library that puts a terminal into the browser, on tornado.

Its wire is JSON arrays. Nothing in it slows the server down, so that a client which renders slowly
can only read slowly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import aiohttp
import orjson

from bench.web_peer import COLS, ROWS, WebShell

NAME = "terminado"


class TerminadoShell(WebShell):
    """A shell behind terminado."""

    path = "/websocket"

    async def greet(self) -> None:
        """Tell the size."""
        await self._tell("set_size", ROWS, COLS)

    async def type(self, data: bytes) -> None:
        """Send input."""
        await self._tell("stdin", data.decode())

    async def read(self) -> None:
        """Show until the socket closes."""
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                kind, *rest = orjson.loads(message.data)
                if kind == "stdout":
                    await self.render(rest[0].encode())
        self.close()

    async def _tell(self, *words: object) -> None:
        await self.socket.send_str(orjson.dumps(words).decode())


def server_command(program: Sequence[str]) -> list[str]:
    """Return the command line of a server that runs `program` for each socket."""
    return [sys.executable, "-m", "bench.terminado_server", "{port}", *program]
