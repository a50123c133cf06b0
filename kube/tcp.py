"""The TCP side of a stream: its buffers, its end, and whether anybody is still there.

A peer that vanished without a word (a pulled plug, a firewall that forgot) is not noticed by TCP
keepalive while something that we sent waits for its acknowledgement, and our own keepalive
always does then; the kernel would go on for a quarter of an hour. TCP_USER_TIMEOUT would notice,
but also end a stream whose process does not read its input for a while. So the kernel is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import aiohttp

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.5
"""For the closing handshake; then the connection is cut."""

STREAM_RECEIVE_BUFFER = 256 * 1024
"""SO_RCVBUF of stream sockets, bytes: what the kernel holds for us after we stop reading."""

SILENT_SECONDS = 20.0
"""Without an acknowledgement of something sent. By then the kernel has sent it six times; a peer
whose process does not read still acknowledges."""

_POLL_SECONDS = 0.002
"""Between two looks whether the event loop has closed what was cut."""

_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))  # seconds, tries

_INFO = struct.Struct("=8B24I")  # struct tcp_info of linux/tcp.h, as far as it is needed
_UNACKED, _LAST_ACK_RECEIVED = 8 + 4, 8 + 12  # segments; milliseconds ago


class Sockets:
    """The sockets to one server: makes them for aiohttp and sees that none outlives the rest.

    A TLS connection that aiohttp drops says goodbye and waits half a minute for the answer, and
    aiohttp knows of it no more: closing its session does not end it.
    """

    def __init__(self) -> None:
        self._made: WeakSet[socket.socket] = WeakSet()

    def for_call(self, address: Any) -> socket.socket:
        """Make a socket for short calls (aiohttp's `socket_factory`)."""
        family, kind, protocol, _name, _address = address
        made = socket.socket(family=family, type=kind, proto=protocol)
        self._made.add(made)
        return made

    def for_stream(self, address: Any) -> socket.socket:
        """Make a socket for a stream (aiohttp's `socket_factory`)."""
        made = stream_socket(address)
        self._made.add(made)
        return made

    async def aclose(self) -> None:
        """Cut what is still open, and return once it is closed, after CLOSE_SECONDS at the most.

        To be called when the aiohttp sessions are closed: they make no new sockets then.
        """
        for made in self._made:
            _shut(made)
        for _ in range(round(CLOSE_SECONDS / _POLL_SECONDS)):
            if all(made.fileno() == -1 for made in self._made):
                return
            await asyncio.sleep(_POLL_SECONDS)
        logger.warning("connections to a cluster are still open after they were cut")


def stream_socket(address: Any) -> socket.socket:
    """Make a socket with the options of a stream."""
    family, kind, protocol, _name, _address = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STREAM_RECEIVE_BUFFER)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made


async def close_socket(opened: aiohttp.ClientWebSocketResponse) -> None:
    """Close a WebSocket: CLOSE, the answer within CLOSE_SECONDS, then the connection is cut.

    Without the cut TLS would wait half a minute for a goodbye that a dead server never says.
    """
    with _copied(opened) as copy:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await opened.close()
        except TimeoutError:
            logger.debug("a stream was cut because its server did not answer CLOSE")
        finally:
            _shut(copy)


def is_silent(opened: aiohttp.ClientWebSocketResponse) -> bool:
    """Tell whether the peer has not acknowledged what was sent for SILENT_SECONDS (Linux)."""
    if sys.platform != "linux":
        return False
    with _copied(opened) as copy:
        if copy is None:
            return False
        try:
            raw = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        except OSError:
            return False
    if len(raw) < _INFO.size:
        return False
    info: tuple[int, ...] = _INFO.unpack(raw)
    return info[_UNACKED] > 0 and info[_LAST_ACK_RECEIVED] > SILENT_SECONDS * 1000


@contextlib.contextmanager
def gathering(
    opened: aiohttp.ClientWebSocketResponse, count: int, seconds: float
) -> Iterator[None]:
    """Let the event loop sleep, while the block runs, until `count` bytes have come.

    What has come after `seconds` is enough too, and so is the peer's end. Bytes wait in the kernel
    meanwhile; `count` must leave room in the receive buffer for the sender to go on.
    """
    loop = asyncio.get_running_loop()
    with _copied(opened) as copy:
        if copy is None:
            yield
            return
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
        any_byte = (socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        late = loop.call_later(seconds, copy.setsockopt, *any_byte)
        try:
            yield
        finally:
            late.cancel()
            copy.setsockopt(*any_byte)


def cut(opened: aiohttp.ClientWebSocketResponse) -> None:
    """End the connection at once; whoever reads from it sees its end."""
    with _copied(opened) as copy:
        _shut(copy)


@contextlib.contextmanager
def _copied(opened: aiohttp.ClientWebSocketResponse) -> Iterator[socket.socket | None]:
    """Yield our own copy of the descriptor, if there still is one.

    The transport's own may belong to somebody else by the time that we have waited.
    """
    found = opened.get_extra_info("socket")
    number = -1 if found is None else found.fileno()
    if number < 0:
        yield None
        return
    with socket.socket(fileno=os.dup(number)) as copy:
        yield copy


def _shut(copy: socket.socket | None) -> None:
    if copy is not None:
        with contextlib.suppress(OSError):
            copy.shutdown(socket.SHUT_RDWR)
