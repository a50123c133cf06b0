"""Input on its way to the container: in order, once, bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.size import Size
from terminal.session.signal import Signal

_CLIENTS = 32
"""Clients whose count is remembered: tabs that took turns at owning one session. Full: the one
that has not owned it for longest starts again at 0."""
_TOTAL = 4
"""Capacities that all clients together may have queued: a new owner may type although the one
before left a window full of input in front of a container that does not read."""


class InputGap(PeerVisibleError):
    """A client skipped bytes of its own input."""

    code = "input_gap"
    close_code = CloseCode.BAD_FRAME


class InputOverflow(PeerVisibleError):
    """A client sent more input than its window allows."""

    code = "input_overflow"
    close_code = CloseCode.TOO_BIG


@dataclass(slots=True)
class _Count:
    """One client's input: bytes accepted, delivered, and what it was told when it became owner."""

    accepted: int = 0
    delivered: int = 0
    told: int = 0


class Inbox:
    """What the owners of one session typed and has not been delivered, plus the latest size.

    Input is numbered by the client that sends it, so that a piece sent again after a lost
    connection is taken once. Sizes are a single slot: the latest wins, and nobody ever waits for
    one to be consumed. `capacity` is in bytes and counts for each client beyond what it knows to
    be accepted or delivered.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: deque[tuple[_Count, bytes]] = deque()
        self._queued = 0
        self._size: Size | None = None
        self._input_ready = Signal()
        self._ready = Signal()
        self._counts: dict[str, _Count] = {}
        self._current = _Count()
        self._taken = self._current

    @property
    def accepted(self) -> int:
        """Bytes accepted from the client that owns now: the offset expected next."""
        return self._current.accepted

    @property
    def delivered(self) -> int:
        """Bytes of that client handed to the stream so far."""
        return self._current.delivered

    def claim(self, client: str) -> None:
        """Let `client` be the one who types. A new one starts counting at 0; a returning one goes
        on where it was. What others typed before is still delivered before."""
        count = self._counts.pop(client, None) or _Count()
        count.told = count.accepted
        self._counts[client] = self._current = count
        if len(self._counts) > _CLIENTS:
            del self._counts[next(iter(self._counts))]

    def add(self, offset: int, data: bytes) -> bytes:
        """Accept `data`, which starts at `offset` of this client's input; return what was new.

        Raises InputGap and InputOverflow; nothing of `data` was accepted then.
        """
        count = self._current
        if offset > count.accepted:
            raise InputGap(
                "The client skipped input; reload the page.", expected=count.accepted, got=offset
            )
        fresh = data[count.accepted - offset :]
        if not fresh:
            return b""
        beyond = count.accepted + len(fresh) - max(count.delivered, count.told)
        if beyond > self._capacity or self._queued + len(fresh) > _TOTAL * self._capacity:
            raise InputOverflow(
                "More input was sent than the container takes; wait and try again.",
                limit=self._capacity,
            )
        count.accepted += len(fresh)
        self._queued += len(fresh)
        self._pieces.append((count, fresh))
        self._input_ready.set()
        self._ready.set()
        return fresh

    def resize(self, size: Size) -> None:
        """Remember the latest size."""
        self._size = size
        self._ready.set()

    async def wait(self) -> None:
        """Return when there is input or a size to take."""
        await self._ready.wait()

    async def wait_for_input(self) -> None:
        """Return when there is input to take."""
        await self._input_ready.wait()

    def take_size(self) -> Size | None:
        """Take the latest size, if there is one."""
        size, self._size = self._size, None
        self._settle()
        return size

    def take_input(self, most: int) -> bytes:
        """Take up to `most` bytes of one client's input; call `done` once they are delivered."""
        if not self._pieces:
            return b""
        count, first = self._pieces.popleft()
        if len(first) > most:
            self._pieces.appendleft((count, first[most:]))
            first = first[:most]
        elif self._pieces:
            joined = bytearray(first)
            while self._pieces:
                author, piece = self._pieces[0]
                if author is not count or len(joined) + len(piece) > most:
                    break
                joined += piece
                self._pieces.popleft()
            first = bytes(joined)
        self._taken = count
        self._settle()
        return first

    def done(self, length: int) -> None:
        """Note that the `length` bytes taken last were delivered."""
        self._queued -= length
        self._taken.delivered += length

    def put_back(self, data: bytes) -> None:
        """Let `data`, which was delivered to a program that never ran, be delivered again."""
        if data:
            # Its authors were told already, so it counts for nobody.
            self._pieces.appendleft((_Count(), data))
            self._queued += len(data)
            self._input_ready.set()
            self._ready.set()

    def _settle(self) -> None:
        if not self._pieces:
            self._input_ready.clear()
            if self._size is None:
                self._ready.clear()
