"""The same shell straight from the API server: what a figure of Hatchway is compared with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.screen import Screen
from kube.exec import KubeExecBackend, KubeExecStream
from protocol.execution import ExecRequest
from protocol.identity import Identity
from protocol.size import DEFAULT_SIZE
from protocol.target import Target


class Direct(Screen):
    """A shell in a container without anything in between."""

    def __init__(self, stream: KubeExecStream) -> None:
        super().__init__()
        self._stream = stream

    async def type(self, data: bytes) -> None:
        """Send input."""
        await self._stream.send_stdin(data)

    async def read(self) -> None:
        """Show until the stream ends."""
        while (output := await self._stream.receive()) is not None:
            self.take(output.data)
        self.fail(ConnectionError(f"the stream ended: {self._stream.result()}"))


@asynccontextmanager
async def direct_shell(
    backend: KubeExecBackend, target: str, identity: Identity
) -> AsyncIterator[Direct]:
    """Run bash in the container and give it the bench's prompt; leaving ends it."""
    request = ExecRequest(Target.parse(target), identity, ("bash",), size=DEFAULT_SIZE)
    async with backend.open(request) as stream:
        shell = Direct(stream)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(shell.read())
            await shell.prepare()
            try:
                yield shell
            finally:
                # Closing the connection alone would leave the shell in the container.
                await shell.leave(reading.done)
                reading.cancel()
