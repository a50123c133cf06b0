"""When to let more output gather before it is handed on. Pure."""

from __future__ import annotations

FLOOD_BYTES = 64 * 1024
FLOOD_SECONDS = 0.02
"""As many bytes within this time are a flood: 3 MB/s. A gap as long ends it."""

GATHER_BYTES = 64 * 1024
"""What is handed on at once in a flood. More would fill the receive buffer meanwhile, and whoever
sends would stand still."""

GATHER_SECONDS = 0.004
"""What to wait in a flood when everything was handed on: 32 KiB gather at 8 MB/s. Otherwise each
line that `yes` writes wakes everybody on its way to the screen, a thousand times a second."""


class Flood:
    """Tells whether output comes as a flood, from the times at which it is handed on."""

    __slots__ = ("_began", "_bytes", "_is_flood", "_seen")

    def __init__(self) -> None:
        self._began = 0.0
        self._seen = 0.0
        self._bytes = 0
        self._is_flood = False

    def saw(self, count: int, now: float) -> None:
        """Note that `count` bytes were handed on at `now` (seconds)."""
        if now - self._seen > FLOOD_SECONDS:
            self._began, self._bytes, self._is_flood = now, 0, False
        self._seen = now
        self._bytes += count
        if self._bytes >= FLOOD_BYTES:
            self._is_flood = now - self._began < FLOOD_SECONDS
            self._began, self._bytes = now, 0

    def goes_on(self, now: float) -> bool:
        """Return whether output that comes at `now` belongs to a flood."""
        return self._is_flood and now - self._seen <= FLOOD_SECONDS
