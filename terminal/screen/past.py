"""What a screen can be rebuilt from: a keyframe and everything after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.size import Size
from terminal.screen.limits import JOIN_BELOW_BYTES, KEPT_BYTES
from terminal.screen.wire import Position, Tail

Item = bytes | bytearray | Tail | Size


class Past:
    """Output and resizes from `start` on; `keyframe` is the state there, None for a blank one."""

    def __init__(self, size: Size) -> None:
        self.start = Position(0, 0)
        self.keyframe: bytes | None = None
        self.size = size
        """The size at `start`."""
        self.kept_bytes = 0
        self._items: list[Item] = []
        # Not a deque: an empty one takes 0.7 KiB, and few sessions ever keep more than two items.

    @property
    def pieces(self) -> int:
        """How many runs of output and resizes are kept."""
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def add(self, item: bytes | Tail | Size) -> bool:
        """Append; return whether the oldest had to be dropped, and the keyframe with them."""
        last = self._items[-1] if self._items else None
        if not isinstance(item, bytes) or len(item) >= JOIN_BELOW_BYTES:
            self._items.append(item)
        elif isinstance(last, bytearray):
            last += item
            if len(last) >= JOIN_BELOW_BYTES:
                self._items[-1] = bytes(last)
        else:
            self._items.append(bytearray(item))
        self.kept_bytes += _kept(item)
        if self.kept_bytes <= KEPT_BYTES:
            return False
        self.keyframe = None
        while self.kept_bytes > KEPT_BYTES // 2:
            self._drop_first()
        return True

    def keep(self, position: Position, keyframe: bytes) -> None:
        """Start from `keyframe`, the state at `position`; what came before it is dropped.

        Raises ValueError for a position within a tail: there is no such state.
        """
        if position < self.start:
            return
        while self._items and self.start < position:
            first = self._items[0]
            done = position.offset - self.start.offset
            if done >= _stands_for(first):
                self._drop_first()
                continue
            if isinstance(first, Size | Tail):
                raise ValueError(f"{position} is within a tail")
            self._items[0] = bytes(first[done:])
            self.kept_bytes -= done
            self.start = position
        self.keyframe = keyframe

    def drop_all(self) -> None:
        """Start from a blank terminal after everything that was added."""
        self.keyframe = None
        while self._items:
            self._drop_first()

    def clear(self) -> None:
        """Free the memory; the screen is closed."""
        self._items.clear()
        self.keyframe = None
        self.kept_bytes = 0

    def _drop_first(self) -> None:
        first = self._items.pop(0)
        self.kept_bytes -= _kept(first)
        if isinstance(first, Size):
            self.start = Position(self.start.offset, self.start.resizes + 1)
            self.size = first
        else:
            self.start = Position(self.start.offset + _stands_for(first), self.start.resizes)


def _kept(item: Item) -> int:
    """Return how many bytes an item takes here."""
    match item:
        case Size():
            return 0
        case Tail(data):
            return len(data)
        case _:
            return len(item)


def _stands_for(item: Item) -> int:
    """Return how many bytes of output an item is."""
    return item.stands_for if isinstance(item, Tail) else _kept(item)
