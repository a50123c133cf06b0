"""When a session's time is up: nobody came back, nothing was typed, or it lived long enough."""

from __future__ import annotations

import asyncio

from terminal.session.ending import Ending, EndReason
from terminal.session.limits import Limits
from terminal.session.signal import Signal

_NEVER = float("inf")


class Deadlines:
    """The clocks of one session. Times are those of the running loop, in seconds.

    A new session counts as left alone until its owner's first socket is there.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._changed = Signal()
        self._started_at = self._typed_at = self._loop.time()
        self.detached_at: float | None = self._loop.time()
        """When the last owner left, None while one is there."""

    def attach(self) -> None:
        """Note that an owner is there."""
        self.detached_at = None
        self._changed.set()

    def detach(self) -> None:
        """Note that the owner left: the detach grace begins."""
        self.detached_at = self._loop.time()
        self._changed.set()

    def typed(self, now: float) -> None:
        """Note that something was typed."""
        self._typed_at = now

    @property
    def detached_seconds_left(self) -> float:
        """How long the session still waits for its owner; 0 when it does not wait."""
        if self.detached_at is None:
            return 0.0
        return max(self._detach_due - self._loop.time(), 0.0)

    async def passed(self) -> Ending:
        """Wait for the first clock to run out and return the ending it means."""
        while True:
            self._changed.clear()
            due, ending = min(self._all(), key=lambda each: each[0])
            if due <= self._loop.time():
                return ending
            try:
                async with asyncio.timeout_at(due if due != _NEVER else None):
                    await self._changed.wait()
            except TimeoutError:
                continue

    @property
    def _detach_due(self) -> float:
        if self.detached_at is None:
            return _NEVER
        return self.detached_at + self._limits.detach_grace_seconds

    def _all(self) -> list[tuple[float, Ending]]:
        idle, longest = self._limits.idle_seconds, self._limits.max_seconds
        return [
            (
                self._detach_due,
                Ending(EndReason.DETACHED, "Nobody came back to the session in time."),
            ),
            (
                self._typed_at + idle if idle else _NEVER,
                Ending(EndReason.IDLE, "Nothing was typed for too long."),
            ),
            (
                self._started_at + longest if longest else _NEVER,
                Ending(EndReason.EXPIRED, "The session reached its longest allowed time."),
            ),
        ]
