"""A peer that serves terminals in the browser: one server, one WebSocket for each shell."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import aiohttp

from bench.connections import connections
from bench.line import Bucket
from bench.peer import Held, RunningPeer
from bench.processes import memory_below, serving
from bench.screen import Screen
from tests.e2e.running import free_port

COLS, ROWS = 80, 24
CLOSE_SECONDS = 2.0


class WebShell(Screen):
    """One shell, in the words of one peer's wire."""

    path: ClassVar[str]
    subprotocols: ClassVar[tuple[str, ...]] = ()

    def __init__(self, opened: aiohttp.ClientWebSocketResponse, rate: float | None) -> None:
        super().__init__()
        self.socket = opened
        self.renderer = None if rate is None else Bucket(rate * 8)

    @abstractmethod
    async def greet(self) -> None:
        """Say what a client says first: the size of its terminal."""

    @abstractmethod
    async def read(self) -> None:
        """Show until the socket closes."""

    async def render(self, data: bytes) -> None:
        """Show output, as late as a terminal of this speed has drawn it."""
        if self.renderer is not None:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(self.renderer.pass_at(len(data), now) - now)
        self.take(data)

    def close(self) -> None:
        """Tell whoever waits that the socket has closed."""
        self.fail(ConnectionError(f"the peer closed the socket ({self.socket.close_code})"))


@dataclass(frozen=True, slots=True)
class WebWay:
    """How to open a shell of such a server, from any process (a flooder's WayIn)."""

    kind: type[WebShell]
    port: int
    prompt: bytes
    rate: float | None

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[Screen]:
        """Open a shell. See RunningPeer."""
        async with connections() as http, self.shell_over(http) as shell:
            yield shell

    @asynccontextmanager
    async def shell_over(self, http: aiohttp.ClientSession) -> AsyncIterator[Screen]:
        """Open a shell from this process."""
        async with http.ws_connect(
            f"http://127.0.0.1:{self.port}{self.kind.path}",
            protocols=self.kind.subprotocols,
            max_msg_size=0,
            compress=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        ) as opened:
            shell = self.kind(opened, self.rate)
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(shell.read())
                try:
                    await shell.greet()
                    await shell.until(self.prompt)
                    await shell.prepare()
                    yield shell
                finally:
                    # kubectl dies with its socket and leaves the shell in the container.
                    await shell.leave(reading.done)
                    reading.cancel()


@dataclass(frozen=True, slots=True)
class WebPeer(RunningPeer):
    """A server of that kind."""

    kind: type[WebShell]
    pid: int
    port: int
    http: aiohttp.ClientSession
    prompt: bytes

    def shell(self, rate: float | None = None) -> AbstractAsyncContextManager[Screen]:
        """Open a shell. See RunningPeer."""
        return self.way(rate).shell_over(self.http)

    def way(self, rate: float | None = None) -> WebWay:
        """Return how another process opens a shell here."""
        return WebWay(self.kind, self.port, self.prompt, rate)

    def memory(self) -> Held:
        """Return what server and programs hold."""
        return Held(*memory_below(self.pid))


@asynccontextmanager
async def running_web_peer(
    kind: type[WebShell], command: Sequence[str], log: Path, *, prompt: bytes = b"# "
) -> AsyncIterator[WebPeer]:
    """Serve until the block is left.

    command: the server's, in which `{port}` stands for its port. prompt: what each shell shows
    when it begins; the default is that of root.
    """
    port = free_port()
    filled = [word.replace("{port}", str(port)) for word in command]
    async with serving(filled, port, log) as pid:
        async with connections() as http:
            yield WebPeer(kind, pid, port, http, prompt)
