"""The last bytes of a session's output, addressed by absolute offset."""

from __future__ import annotations

from collections import deque

_JOIN_BELOW = 8 * 1024
"""Bytes: pieces smaller than this are joined, so that a million keystroke echoes are not a million
objects."""


class Scrollback:
    """A bounded run of bytes ending at `head`; bytes before `tail` are gone.

    Memory follows what is kept, not the bound: an idle session costs next to nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: deque[bytes | bytearray] = deque()
        self.head = 0
        """Offset of the next byte to come."""
        self.tail = 0
        """Offset of the oldest byte kept."""

    def append(self, data: bytes) -> None:
        """Add `data` at `head`, dropping whole pieces at the tail beyond the capacity."""
        if not data:
            return
        last = self._pieces[-1] if self._pieces else None
        if len(data) < _JOIN_BELOW and isinstance(last, bytearray) and len(last) < _JOIN_BELOW:
            last += data
        elif len(data) < _JOIN_BELOW:
            self._pieces.append(bytearray(data))
        else:
            self._pieces.append(data)
        self.head += len(data)
        while self.head - self.tail > self._capacity and len(self._pieces) > 1:
            self.tail += len(self._pieces.popleft())

    def read(self, offset: int, most: int) -> bytes:
        """Return up to `most` bytes from `offset` on; empty at `head`.

        Raises ValueError when `offset` is not between tail and head: the caller must have asked.
        """
        if not self.tail <= offset <= self.head:
            raise ValueError(f"offset {offset} is outside {self.tail}..{self.head}")
        # Readers are near the head, so look from there.
        end = self.head
        taken: list[bytes | bytearray] = []
        for piece in reversed(self._pieces):
            if end <= offset:
                break
            taken.append(piece)
            end -= len(piece)
        if not taken:
            return b""
        taken.reverse()
        start = offset - end
        if len(taken) == 1 or len(taken[0]) - start >= most:
            return bytes(memoryview(taken[0])[start : start + most])
        parts: list[memoryview] = []
        for piece in taken:
            part = memoryview(piece)[start : start + most]
            start = 0
            most -= len(part)
            parts.append(part)
            if most <= 0:
                break
        return b"".join(parts)
