"""How many bytes may be on the way to one view, sized by the rate at which it acknowledges."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

KIB = 1024

MIN_WINDOW = 16 * KIB
"""Bytes: a full-screen redraw fits, and a line of 1 Mbit/s carries it in 130 ms."""
MAX_WINDOW = 384 * KIB
"""Bytes: what xterm.js buffers without feeling dead is about 500 kB."""
FIRST_WINDOW = 32 * KIB
"""Bytes: before anything was measured."""
TARGET_SECONDS = 0.1
"""The window holds what the line carries in this time, beyond its own round trip."""
_EPOCH_SECONDS = 0.5
"""The rate is the highest seen in this and the previous half second: old news expire."""


@dataclass(slots=True)
class _Sent:
    end: int
    at: float
    acked: int
    acked_at: float


class AckWindow:
    """Count what was sent and acknowledged, by absolute offset, and derive the window.

    The rate is measured as TCP's BBR does: bytes acknowledged between two acknowledgements over
    the time between them, so that a sender that had nothing to send does not look like a slow
    line. Times are seconds of any monotonic clock.
    """

    def __init__(self, offset: int) -> None:
        self.sent_to = offset
        self.acked_to = offset
        self._flights: deque[_Sent] = deque()
        self._acked_at = 0.0
        self._round_trip = 0.0
        self._epoch = 0.0
        self._rate = 0.0
        self._rate_before = 0.0

    @property
    def in_flight(self) -> int:
        """Bytes sent and not acknowledged."""
        return self.sent_to - self.acked_to

    @property
    def rate(self) -> float:
        """Bytes per second that the view has lately rendered at its best; 0 when unknown."""
        return max(self._rate, self._rate_before)

    @property
    def size(self) -> int:
        """Bytes that may be in flight, between MIN_WINDOW and MAX_WINDOW."""
        if not self.rate:
            return FIRST_WINDOW
        wanted = int(self.rate * (TARGET_SECONDS + self._round_trip))
        return min(max(wanted, MIN_WINDOW), MAX_WINDOW)

    @property
    def room(self) -> int:
        """Bytes that may be sent now; never negative."""
        return max(self.size - self.in_flight, 0)

    def sent(self, end: int, now: float) -> None:
        """Note that everything before `end` was sent."""
        if not self._flights:
            self._acked_at = now
        self.sent_to = end
        self._flights.append(_Sent(end, now, self.acked_to, self._acked_at))

    def acked(self, offset: int, now: float) -> bool:
        """Note that everything before `offset` was rendered; repeated and old ones do nothing.

        Returns whether it was news. Raises ValueError for bytes that were never sent.
        """
        if offset > self.sent_to:
            raise ValueError(f"acknowledged {offset}, but only {self.sent_to} was sent")
        if offset <= self.acked_to:
            return False
        self.acked_to = offset
        newest: _Sent | None = None
        while self._flights and self._flights[0].end <= offset:
            newest = self._flights.popleft()
        if newest is not None:
            self._measure(newest, now)
        self._acked_at = now
        return True

    def jump(self, offset: int) -> None:
        """Start again at `offset`: what was in flight no longer counts."""
        self._flights.clear()
        self.sent_to = self.acked_to = offset

    def _measure(self, flight: _Sent, now: float) -> None:
        trip = max(now - flight.at, 1e-6)
        self._round_trip = trip if not self._round_trip else min(trip, self._round_trip * 1.02)
        rate = (self.acked_to - flight.acked) / max(now - flight.acked_at, 1e-6)
        if now - self._epoch > _EPOCH_SECONDS:
            self._epoch = now
            self._rate_before, self._rate = self._rate, rate
        else:
            self._rate = max(self._rate, rate)
