"""Output on its way to the model, held back for a while. Pure."""

from __future__ import annotations

from protocol.size import Size
from terminal.screen.limits import HOLD_BYTES
from terminal.screen.shortcut import Shortcut
from terminal.screen.wire import Position, Tail


class Held:
    """What was fed to one screen and neither kept nor sent yet.

    In a plain flood only its tail so far is held, in place of all that came before it.
    """

    __slots__ = ("_piece_bytes", "_pieces", "_tail", "count", "shortcut")

    def __init__(self, size: Size) -> None:
        self.shortcut = Shortcut(size)
        self.count = 0
        """Bytes of output that are held, or that what is held stands for."""
        self._pieces: list[bytes] = []
        self._piece_bytes = 0
        self._tail: Tail | None = None

    @property
    def kept_bytes(self) -> int:
        """Bytes that it takes."""
        return self._piece_bytes + (len(self._tail.data) if self._tail else 0)

    def add(self, data: bytes, end: Position) -> list[bytes | Tail]:
        """Add output that ends at `end`; return what is not to be held any longer, in order."""
        self._pieces.append(data)
        self._piece_bytes += len(data)
        self.count += len(data)
        if self._piece_bytes < HOLD_BYTES:
            return []
        output = self._join(end)
        if isinstance(output, Tail):
            self._tail = output
            return []
        return self._release(output)

    def release(self, end: Position) -> list[bytes | Tail]:
        """Return all that is held, which ends at `end`, in order."""
        output = self._join(end) if self._pieces else None
        return self._release(output)

    def clear(self) -> None:
        """Forget it."""
        self._pieces.clear()
        self._tail = None
        self._piece_bytes = self.count = 0

    def _join(self, end: Position) -> bytes | Tail:
        """Take the pieces; a tail of them stands for the one before them too."""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._piece_bytes = 0
        output = self.shortcut.take(data, end)
        if isinstance(output, Tail) and self._tail is not None:
            output = Tail(output.data, self._tail.stands_for + output.stands_for)
            self._tail = None
        return output

    def _release(self, output: bytes | Tail | None) -> list[bytes | Tail]:
        released = [each for each in (self._tail, output) if each is not None]
        self._tail = None
        self.count = 0
        return released
