"""The last bytes of a session's output, addressed by absolute offset."""

from __future__ import annotations

from collections import deque

_SEGMENT_BYTES = 64 * 1024
"""Bytes of one segment. Under a flood the oldest one is written over: memory that is given back and
asked for again thirty times in a second is torn to pieces, which other sessions then pay for."""


class Scrollback:
    """A bounded run of bytes ending at `head`; bytes before `tail` are gone.

    Memory follows what is kept, not the bound: an idle session costs next to nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._segments: deque[bytearray] = deque()
        self._start = 0  # offset of the first segment's first byte
        self.head = 0
        """Offset of the next byte to come."""
        self.tail = 0
        """Offset of the oldest byte kept."""

    def append(self, data: bytes) -> None:
        """Add `data` at `head`; more than the capacity is dropped at the tail."""
        with memoryview(data) as rest:
            taken = 0
            while taken < len(rest):
                at = (self.head - self._start) % _SEGMENT_BYTES
                if at == 0:
                    self._segments.append(self._next_segment())
                piece = rest[taken : taken + _SEGMENT_BYTES - at]
                # A new segment grows by this, one that was used before is written over.
                self._segments[-1][at : at + len(piece)] = piece
                taken += len(piece)
                self.head += len(piece)
                self.tail = max(self.tail, self.head - self._capacity)

    def read(self, offset: int, most: int) -> bytes:
        """Return up to `most` bytes from `offset` on; empty at `head`.

        Raises ValueError when `offset` is not between tail and head: the caller must have asked.
        """
        if not self.tail <= offset <= self.head:
            raise ValueError(f"offset {offset} is outside {self.tail}..{self.head}")
        end = min(offset + most, self.head)
        parts: list[memoryview] = []
        while offset < end:
            number, at = divmod(offset - self._start, _SEGMENT_BYTES)
            part = memoryview(self._segments[number])[at : at + end - offset]
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _next_segment(self) -> bytearray:
        if not self._segments or self._start + _SEGMENT_BYTES > self.tail:
            return bytearray()
        self._start += _SEGMENT_BYTES
        return self._segments.popleft()
