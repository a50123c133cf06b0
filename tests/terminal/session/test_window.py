"""The window follows the line: about 100 ms of it, whatever the line."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from terminal.session.window import (
    FIRST_WINDOW,
    KIB,
    MAX_WINDOW,
    MIN_WINDOW,
    PROBE_BYTES,
    AckWindow,
)

ACK_BYTES = 16 * KIB
ACK_SECONDS = 0.1
MBIT = 125_000
"""Bytes a second."""


@dataclass
class Line:
    """A line of so many bytes a second behind a queue of any length, and a client that acks as
    docs/protocol.md asks: every 16 KiB, and 100 ms after the last byte that it rendered."""

    rate: float
    round_trip: float
    now: float = 0.0
    window: AckWindow = field(default_factory=lambda: AckWindow(0))
    acks_everything: bool = True
    _free_at: float = 0.0
    _arrivals: list[tuple[float, int]] = field(default_factory=list)
    _acks: list[tuple[float, int]] = field(default_factory=list)
    _rendered: int = 0
    _told: int = 0
    _due: float = float("inf")

    def send(self, length: int) -> None:
        """Put bytes on the line, as a frame: it is rendered when its last byte is there."""
        end = self.window.sent_to + length
        self.window.sent(end, self.now)
        self._free_at = max(self._free_at, self.now) + length / self.rate
        heapq.heappush(self._arrivals, (self._free_at + self.round_trip / 2, end))

    def step(self) -> None:
        """Go on to the next thing that happens."""
        waits = [each[0][0] for each in (self._arrivals, self._acks) if each]
        self.now = min([*waits, self._due])
        while self._arrivals and self._arrivals[0][0] <= self.now:
            self._rendered = heapq.heappop(self._arrivals)[1]
            self._due = min(self._due, self.now + ACK_SECONDS)
        if self._rendered - self._told >= ACK_BYTES or self._due <= self.now:
            self._told, self._due = self._rendered, float("inf")
            heapq.heappush(self._acks, (self.now + self.round_trip / 2, self._rendered))
        while self._acks and self._acks[0][0] <= self.now:
            self.window.acked(heapq.heappop(self._acks)[1], self.now)

    def flood(self, seconds: float) -> Iterator[int]:
        """Send whatever there is room for; yield what is in flight after each thing."""
        end = self.now + seconds
        while self.now < end:
            while room := self.window.room:
                self.send(min(room, self.window.piece))
            yield self.window.in_flight
            self.step()


@pytest.mark.parametrize("round_trip", [0.001, 0.05, 0.2])
@pytest.mark.parametrize("rate", [1 * MBIT, 100 * MBIT], ids=["1Mbit", "100Mbit"])
def test_what_is_on_the_way_stays_about_100_ms_of_the_line(rate: float, round_trip: float) -> None:
    line = Line(rate, round_trip)
    list(line.flood(3.0))

    in_flight = list(line.flood(60.0))

    # Beyond 100 ms and the trip itself there is what the client takes to acknowledge, and that it
    # does so in lumps makes the line look a little faster than it is.
    most = 1.3 * rate * (0.1 + round_trip + ACK_SECONDS)
    assert max(in_flight) <= min(max(most, MIN_WINDOW), MAX_WINDOW)
    assert line.window.size >= min(rate * (0.1 + round_trip), MAX_WINDOW) * 0.8
    assert MIN_WINDOW <= line.window.size <= MAX_WINDOW


@pytest.mark.parametrize("round_trip", [0.001, 0.05, 0.2])
@pytest.mark.parametrize("rate", [1 * MBIT, 100 * MBIT], ids=["1Mbit", "100Mbit"])
def test_the_line_is_kept_busy(rate: float, round_trip: float) -> None:
    line = Line(rate, round_trip)
    list(line.flood(3.0))
    start, since = line.window.acked_to, line.now

    list(line.flood(30.0))

    achieved = (line.window.acked_to - start) / (line.now - since)
    assert achieved >= 0.7 * min(rate, MAX_WINDOW / (round_trip + 0.03))


def test_a_slow_line_is_not_flooded_before_it_was_measured() -> None:
    line = Line(1 * MBIT, 0.05)

    assert max(line.flood(1.0)) <= FIRST_WINDOW


def test_a_line_that_becomes_slow_is_noticed_within_two_seconds() -> None:
    line = Line(100 * MBIT, 0.02)
    list(line.flood(5.0))
    line.rate = 1 * MBIT
    list(line.flood(4.0))

    assert line.window.size <= 48 * KIB


def test_typing_does_not_make_a_line_look_slow() -> None:
    line = Line(100 * MBIT, 0.02)
    list(line.flood(2.0))

    for _ in range(100):
        line.send(10)
        while line.window.in_flight:
            line.step()

    assert line.window.size == MAX_WINDOW


def test_the_round_trip_is_measured_by_bytes_that_leave_alone() -> None:
    window = AckWindow(0)
    assert window.room == PROBE_BYTES

    window.sent(PROBE_BYTES, 0.0)

    assert window.room == FIRST_WINDOW - PROBE_BYTES


def test_a_full_line_is_let_run_empty_when_the_round_trip_is_old_news() -> None:
    line = Line(1 * MBIT, 0.05)

    in_flight = list(line.flood(25.0))

    assert in_flight.count(PROBE_BYTES) <= 5


def test_old_and_repeated_acknowledgements_do_nothing() -> None:
    window = AckWindow(100)
    window.sent(200, 1.0)

    assert window.acked(150, 1.1)
    assert not window.acked(150, 1.2)
    assert not window.acked(90, 1.3)
    assert window.in_flight == 50


def test_acknowledging_what_was_never_sent_is_an_error() -> None:
    window = AckWindow(100)

    with pytest.raises(ValueError, match="only 100 was sent"):
        window.acked(101, 1.0)


def test_a_view_that_never_acknowledges_fills_its_window_and_no_memory() -> None:
    window = AckWindow(0)
    now = 0.0

    while window.room:
        now += 0.001
        window.sent(window.sent_to + 1, now)

    assert window.in_flight == FIRST_WINDOW
    assert len(window._flights) <= 256
    assert window.acked(FIRST_WINDOW, now + 1)
    assert window.in_flight == 0


def test_a_screen_is_one_byte_on_the_way_until_its_offset_is_acknowledged() -> None:
    window = AckWindow(0)
    window.sent(PROBE_BYTES, 0.0)
    window.sent(10_000, 0.0)

    window.screen(5_000_000, 4_000, 0.1)
    assert window.in_flight == 1
    window.acked(10_000, 0.2)
    assert window.in_flight == 1
    window.acked(5_000_000, 0.3)

    assert window.in_flight == 0
    assert window.rate == 0


def test_a_screen_before_the_first_byte_needs_no_acknowledgement() -> None:
    window = AckWindow(0)

    window.screen(0, 20, 0.0)

    assert window.in_flight == 0
