"""The last bytes of a session's output, addressed by absolute offset."""

from __future__ import annotations

from mmap import mmap

_SMALL_BYTES = 64 * 1024
"""Up to this much is a plain array that grows; beyond it the whole ring is mapped. Pages that were
never written cost nothing, and a ring of its own leaves no holes in the heap: as pieces among all
the other allocations of a flood it made the heap half as large again."""


class Scrollback:
    """A bounded run of bytes ending at `head`; bytes before `tail` are gone.

    Memory follows what is kept, not the bound: an idle session costs next to nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: bytearray | mmap = bytearray()
        self.head = 0
        """Offset of the next byte to come."""
        self.tail = 0
        """Offset of the oldest byte kept."""

    def append(self, data: bytes) -> None:
        """Add `data` at `head`; more than the capacity is dropped at the tail."""
        self.head += len(data)
        if isinstance(self._kept, bytearray):
            self._kept += data
            if len(self._kept) <= min(_SMALL_BYTES, self._capacity):
                return
            data, self._kept = bytes(self._kept), mmap(-1, self._capacity)
        self.tail = max(self.tail, self.head - self._capacity)
        with memoryview(data)[-self._capacity :] as rest:
            at = (self.head - len(rest)) % self._capacity
            first = min(len(rest), self._capacity - at)
            self._kept[at : at + first] = rest[:first]
            self._kept[: len(rest) - first] = rest[first:]

    def read(self, offset: int, most: int) -> bytes:
        """Return up to `most` bytes from `offset` on; empty at `head`.

        Raises ValueError when `offset` is not between tail and head: the caller must have asked.
        """
        if not self.tail <= offset <= self.head:
            raise ValueError(f"offset {offset} is outside {self.tail}..{self.head}")
        most = min(most, self.head - offset)
        at = offset % self._capacity
        data = bytes(self._kept[at : at + most])
        return data if len(data) == most else data + self._kept[: most - len(data)]
