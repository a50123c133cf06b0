"""A line that can fail: TCP through a proxy that cuts, goes silent, refuses, slices or is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_READ_BYTES = 16 * 1024


class FaultProxy:
    """Forwards connections to one port of the loopback interface, as badly as it is told."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self.opened = 0
        """Connections forwarded so far."""
        self.is_refusing = False
        """New connections are closed at once."""
        self.slice_bytes = _READ_BYTES
        """The largest piece that is passed on at once."""
        self.bytes_per_second = 0
        """In each direction of each connection; 0: as fast as it goes."""
        self._up_left: int | None = None
        self._down_left: int | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End all connections at once, with whatever is still in them."""
        self._up_left = self._down_left = None
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        """Cut when this many more bytes went to the server or came from it, frames or not."""
        self._up_left, self._down_left = up, down

    def hold(self) -> None:
        """Pass nothing on, and tell nobody: a black hole."""
        self._passes.clear()

    def release(self) -> None:
        """Pass on again, beginning with what was held."""
        self._passes.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either side ends it."""
        if self.is_refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self.opened += 1
        both = {writer, far_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._forward(reader, far_writer, is_up=True))
                ways.create_task(self._forward(far_reader, writer, is_up=False))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                for start in range(0, len(data), self.slice_bytes):
                    await self._passes.wait()
                    piece = data[start : start + self.slice_bytes]
                    left = self._up_left if is_up else self._down_left
                    if left is not None:
                        piece = piece[:left]
                        self._count(is_up, left - len(piece))
                    writer.write(piece)
                    await writer.drain()
                    if left is not None and left <= len(piece):
                        # What was passed on is on its way before the cut overtakes it.
                        await asyncio.sleep(0)
                        self.cut()
                        return
                    if self.bytes_per_second:
                        await asyncio.sleep(len(piece) / self.bytes_per_second)
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()

    def _count(self, is_up: bool, left: int) -> None:
        if is_up:
            self._up_left = left
        else:
            self._down_left = left


@asynccontextmanager
async def fault_proxy(port: int) -> AsyncIterator[FaultProxy]:
    """Stand before a port of the loopback interface for the length of the block."""
    proxy = FaultProxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.release()
        proxy.cut()
        await server.wait_closed()
