"""How many bytes may be on the way to one view, sized by the rate at which it acknowledges."""

from __future__ import annotations

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
PROBE_BYTES = 2 * KIB
"""What is sent alone to measure the round trip: nothing queues before it, and its own length
costs little even on a slow line."""
_TRIP_SECONDS = 10.0
"""How long a measured round trip counts. After that a line that has always been full is let run
empty once: the trip of bytes behind a queue of our own would make that queue ever longer."""
_FLIGHTS = 256
"""Flights remembered one by one; beyond it they are joined, so that a million single bytes that
nobody acknowledges are not a million objects."""
_EPOCH_SECONDS = 0.5
"""The rate is the highest seen in this and the previous half second: old news expire."""


@dataclass(slots=True)
class _Flight:
    end: int
    at: float
    acked: int
    """What was acknowledged when it left, and when that was."""
    acked_at: float
    ahead: int
    """Bytes on the way when it left, its own included."""
    is_full: bool
    """Whether it filled the window: only then does a low rate say something about the line."""
    is_screen: bool = False
    """A screen's length says nothing about offsets, so it is not counted as a rate."""


class AckWindow:
    """Count what was sent and acknowledged, by absolute offset, and derive the window.

    The rate is measured as TCP's BBR does: bytes acknowledged between two acknowledgements over
    the time between them, so that a sender that had nothing to send does not look like a slow
    line. So is the round trip: the least of the last seconds, seen by bytes that left alone.
    Times are seconds of any monotonic clock.
    """

    def __init__(self, offset: int) -> None:
        self.sent_to = offset
        self.acked_to = offset
        # Not a deque: an empty one takes 0.7 KiB. There are few flights, see _FLIGHTS.
        self._flights: list[_Flight] = []
        self._acked_at = 0.0
        self._trip = 0.0
        self._trip_at = 0.0
        self._is_probing = True
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
        wanted = int(self.rate * (TARGET_SECONDS + self._trip))
        return min(max(wanted, MIN_WINDOW), MAX_WINDOW)

    @property
    def room(self) -> int:
        """Bytes that may be sent now; never negative."""
        if self._is_probing:
            return 0 if self.in_flight else PROBE_BYTES
        return max(self.size - self.in_flight, 0)

    @property
    def piece(self) -> int:
        """Bytes that one frame should carry at most: several fit into the window, so that on a slow
        line acknowledgements return before it has run empty."""
        return self.size // 6

    def sent(self, end: int, now: float) -> None:
        """Note that everything before `end` was sent."""
        if not self._flights:
            self._acked_at = now
        self._is_probing = False
        self.sent_to = end
        ahead = self.in_flight
        is_full = ahead >= self.size
        if len(self._flights) >= _FLIGHTS:
            last = self._flights[-1]
            last.end, last.ahead, last.is_full = end, ahead, is_full
        else:
            self._flights.append(_Flight(end, now, self.acked_to, self._acked_at, ahead, is_full))

    def screen(self, offset: int, length: int, now: float) -> None:
        """Start again behind a screen of `length` bytes that stands for everything before `offset`.

        What was in flight no longer counts. Until `offset` is acknowledged one byte is in flight.
        """
        self.jump(offset)
        self.acked_to = max(offset - 1, 0)
        self._acked_at = now
        self._is_probing = False
        self._flights.append(
            _Flight(offset, now, self.acked_to, now, length, is_full=False, is_screen=True)
        )

    def acked(self, offset: int, now: float) -> bool:
        """Note that everything before `offset` was rendered; repeated and old ones do nothing.

        Returns whether it was news. Raises ValueError for bytes that were never sent.
        """
        if offset > self.sent_to:
            raise ValueError(f"acknowledged {offset}, but only {self.sent_to} was sent")
        if offset <= self.acked_to:
            return False
        self.acked_to = offset
        newest: _Flight | None = None
        while self._flights and self._flights[0].end <= offset:
            newest = self._flights.pop(0)
            self._measure_trip(newest, now)
        if newest is not None and not newest.is_screen:
            self._measure_rate(newest, now)
        self._acked_at = now
        if now - self._trip_at > _TRIP_SECONDS:
            self._is_probing = True
        return True

    def jump(self, offset: int) -> None:
        """Start again at `offset`: what was in flight no longer counts."""
        self._flights.clear()
        self.sent_to = self.acked_to = offset

    def _measure_trip(self, flight: _Flight, now: float) -> None:
        trip = max(now - flight.at, 1e-6)
        expired = now - self._trip_at > _TRIP_SECONDS and flight.ahead <= PROBE_BYTES
        if not self._trip or trip < self._trip or expired:
            self._trip, self._trip_at = trip, now

    def _measure_rate(self, flight: _Flight, now: float) -> None:
        rate = (self.acked_to - flight.acked) / max(now - flight.acked_at, 1e-6)
        if rate < self.rate and not flight.is_full:
            return
        if now - self._epoch > _EPOCH_SECONDS:
            self._epoch = now
            self._rate_before, self._rate = self._rate, rate
        else:
            self._rate = max(self._rate, rate)
