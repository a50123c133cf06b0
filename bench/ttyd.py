"""The peer ttyd: a C program that puts a terminal into the browser.

Its wire is one letter and what belongs to it. A client that renders slowly says when to pause and
when to go on, by the numbers of ttyd's own page.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence

import aiohttp
import orjson

from bench.web_peer import COLS, ROWS, WebShell

NAME = "ttyd"
HOW_TO_GET = "ttyd is not installed; put it on the PATH or its path into HATCHWAY_TEST_TTYD"

OUTPUT = b"0"
INPUT, PAUSE, RESUME = b"0", b"2", b"3"

MARK_BYTES = 100_000
"""After so many bytes the page asks its terminal to say when it has drawn that far."""
MOST_MARKS, FEWEST_MARKS = 10, 4
"""With more marks not yet drawn the page lets the server pause, with fewer go on."""
UNDRAWN_FRAMES = 4096
"""What the page holds of a server that does not pause; then it stops to read."""


class TtydShell(WebShell):
    """A shell behind ttyd."""

    path = "/ws"
    subprotocols = ("tty",)

    def __init__(self, opened: aiohttp.ClientWebSocketResponse, rate: float | None) -> None:
        super().__init__(opened, rate)
        self._undrawn: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue(UNDRAWN_FRAMES)
        self._unmarked = 0
        self._marks = 0

    async def greet(self) -> None:
        """Tell the size, which starts the program."""
        hello = {"AuthToken": "", "columns": COLS, "rows": ROWS}
        await self.socket.send_bytes(orjson.dumps(hello))

    async def type(self, data: bytes) -> None:
        """Send input."""
        await self.socket.send_bytes(INPUT + data)

    async def read(self) -> None:
        """Show until the socket closes."""
        async with asyncio.TaskGroup() as tasks:
            drawing = tasks.create_task(self._draw())
            async for message in self.socket:
                if message.type is aiohttp.WSMsgType.BINARY and message.data[:1] == OUTPUT:
                    if self.renderer is None:
                        self.take(message.data[1:])
                    else:
                        await self._hold(message.data[1:])
            drawing.cancel()
        self.close()

    async def _hold(self, data: bytes) -> None:
        self._unmarked += len(data)
        is_marked = self._unmarked > MARK_BYTES
        if is_marked:
            self._unmarked = 0
            self._marks += 1
            if self._marks > MOST_MARKS:
                await self.socket.send_bytes(PAUSE)
        await self._undrawn.put((data, is_marked))

    async def _draw(self) -> None:
        while True:
            data, is_marked = await self._undrawn.get()
            await self.render(data)
            if is_marked:
                self._marks -= 1
                if self._marks < FEWEST_MARKS and not self.socket.closed:
                    await self.socket.send_bytes(RESUME)


def find_ttyd() -> str | None:
    """Return ttyd's path: HATCHWAY_TEST_TTYD, or the PATH."""
    return os.environ.get("HATCHWAY_TEST_TTYD") or shutil.which("ttyd")


def server_command(ttyd: str, program: Sequence[str]) -> list[str]:
    """Return the command line of a server that runs `program` for each socket.

    It may be written to, which is no default since ttyd 1.7.4.
    """
    return [ttyd, "--writable", "--interface", "127.0.0.1", "--port", "{port}", *program]
