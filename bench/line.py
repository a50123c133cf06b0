"""A slow line: a TCP proxy that lets a fixed number of bits a second pass, each way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PACKET_BYTES = 1460
"""What passes at once: one segment of a usual line."""

BUFFER_BYTES = 4096
"""Kernel buffers of the proxy: small, so that it is the line and not a store."""


class Bucket:
    """Tells when the next bytes may pass. Times are seconds of any monotonic clock."""

    def __init__(self, bits_per_second: float) -> None:
        self._seconds_per_byte = 8 / bits_per_second
        self._free_at = 0.0

    def pass_at(self, size: int, now: float) -> float:
        """Return when the last of `size` bytes will have passed. Nothing is saved up while idle."""
        self._free_at = max(self._free_at, now) + size * self._seconds_per_byte
        return self._free_at


@asynccontextmanager
async def slow_line(port: int, bits_per_second: float) -> AsyncIterator[int]:
    """Listen on the loopback interface for connections to `port`; yields the port to connect to.

    Leaving cuts every connection.
    """
    loop = asyncio.get_running_loop()
    listener = _small_socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    with listener:
        async with asyncio.TaskGroup() as tasks:
            carrying: list[asyncio.Task[None]] = []

            async def accept() -> None:
                while True:
                    near, _ = await loop.sock_accept(listener)
                    carrying.append(tasks.create_task(_carry(near, port, bits_per_second)))

            accepting = tasks.create_task(accept())
            try:
                yield int(listener.getsockname()[1])
            finally:
                for task in (accepting, *carrying):
                    task.cancel()


async def _carry(near: socket.socket, port: int, bits_per_second: float) -> None:
    loop = asyncio.get_running_loop()
    near.setblocking(False)
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with near, _small_socket() as far:
        far.setblocking(False)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(far, ("127.0.0.1", port))
        with suppress(OSError):
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_pass(near, far, Bucket(bits_per_second)))
                ways.create_task(_pass(far, near, Bucket(bits_per_second)))


async def _pass(source: socket.socket, sink: socket.socket, bucket: Bucket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, PACKET_BYTES):
        now = loop.time()
        await asyncio.sleep(bucket.pass_at(len(data), now) - now)
        await loop.sock_sendall(sink, data)
    sink.shutdown(socket.SHUT_WR)


def _small_socket() -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return made
