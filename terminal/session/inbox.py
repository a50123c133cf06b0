"""Input on its way to the container: in order, once, bounded."""

from __future__ import annotations

import asyncio
from collections import deque

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.size import Size


class InputGap(PeerVisibleError):
    """A client skipped bytes of its own input."""

    code = "input_gap"
    close_code = CloseCode.BAD_FRAME


class InputOverflow(PeerVisibleError):
    """A client sent more input than its window allows."""

    code = "input_overflow"
    close_code = CloseCode.TOO_BIG


class Inbox:
    """What one session's owner typed and has not been delivered, plus the latest size.

    Input is numbered by the client that sends it, so that a piece sent again after a lost
    connection is taken once. Sizes are a single slot: the latest wins, and nobody ever waits for
    one to be consumed.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: deque[bytes] = deque()
        self._queued = 0
        self._size: Size | None = None
        self._ready = asyncio.Event()
        self.client = ""
        """The client whose input is being numbered."""
        self.accepted = 0
        """Bytes of that client accepted so far: the offset expected next."""
        self.delivered = 0
        """Bytes of that client handed to the stream so far."""

    def claim(self, client: str) -> None:
        """Let `client` be the one who types. A new one starts counting at 0; a returning one goes
        on where it was."""
        if client != self.client:
            self.client = client
            self.accepted = 0
            # Bytes of the previous client still queued are delivered, and counted down to zero.
            self.delivered = -self._queued

    def add(self, offset: int, data: bytes) -> bytes:
        """Accept `data`, which starts at `offset` of this client's input; return what was new.

        Raises InputGap and InputOverflow.
        """
        if offset > self.accepted:
            raise InputGap(
                "The client skipped input; reload the page.", expected=self.accepted, got=offset
            )
        fresh = data[self.accepted - offset :]
        if not fresh:
            return b""
        if self._queued + len(fresh) > self._capacity:
            raise InputOverflow(
                "More input was sent than the container takes; wait and try again.",
                limit=self._capacity,
            )
        self.accepted += len(fresh)
        self._queued += len(fresh)
        self._pieces.append(fresh)
        self._ready.set()
        return fresh

    def resize(self, size: Size) -> None:
        """Remember the latest size."""
        self._size = size
        self._ready.set()

    async def wait(self) -> None:
        """Return when there is input or a size to take."""
        await self._ready.wait()

    def take_size(self) -> Size | None:
        """Take the latest size, if there is one."""
        size, self._size = self._size, None
        self._settle()
        return size

    @property
    def has_input(self) -> bool:
        """Whether input waits."""
        return bool(self._pieces)

    def take_input(self, most: int) -> bytes:
        """Take up to `most` bytes of input; call `done` with their number once delivered."""
        if not self._pieces:
            return b""
        first = self._pieces.popleft()
        if len(first) > most:
            self._pieces.appendleft(first[most:])
            first = first[:most]
        elif self._pieces:
            joined = bytearray(first)
            while self._pieces and len(joined) + len(self._pieces[0]) <= most:
                joined += self._pieces.popleft()
            first = bytes(joined)
        self._settle()
        return first

    def done(self, count: int) -> None:
        """Note that `count` bytes were delivered."""
        self._queued -= count
        self.delivered += count

    def _settle(self) -> None:
        if not self._pieces and self._size is None:
            self._ready.clear()
