"""The scrollback gives back exactly what was written, as far as it reaches."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.session.scrollback import Scrollback

KIB = 1024


@given(
    pieces=st.lists(st.integers(0, 20 * KIB), max_size=30),
    start=st.floats(0, 1),
    most=st.integers(1, 70 * KIB),
)
def test_any_part_that_is_kept_reads_as_it_was_written(
    pieces: list[int], start: float, most: int
) -> None:
    scrollback = Scrollback(64 * KIB)
    written = b""
    for number, length in enumerate(pieces):
        data = bytes([number]) * length
        written += data
        scrollback.append(data)

    assert scrollback.head == len(written)
    offset = scrollback.tail + int(start * (scrollback.head - scrollback.tail))

    data = scrollback.read(offset, most)

    assert data == written[offset : offset + len(data)]
    assert len(data) == min(most, scrollback.head - offset)


@given(pieces=st.lists(st.integers(0, 20 * KIB), max_size=60))
def test_the_whole_capacity_is_kept_and_never_more(pieces: list[int]) -> None:
    scrollback = Scrollback(64 * KIB)

    for length in pieces:
        scrollback.append(bytes(length))
        assert scrollback.head - scrollback.tail == min(scrollback.head, 64 * KIB)


def test_reading_what_is_gone_or_not_yet_there_is_an_error() -> None:
    scrollback = Scrollback(10)
    scrollback.append(b"x" * 10 * KIB)
    scrollback.append(b"y" * 10 * KIB)

    for offset in (scrollback.tail - 1, scrollback.head + 1):
        with pytest.raises(ValueError, match="outside"):
            scrollback.read(offset, 1)
    assert scrollback.read(scrollback.head, 1) == b""


def test_one_piece_larger_than_the_capacity_leaves_its_end() -> None:
    scrollback = Scrollback(64 * KIB)
    scrollback.append(b"before")
    data = bytes(range(256)) * 1024

    scrollback.append(data)

    assert (scrollback.tail, scrollback.head) == (6 + len(data) - 64 * KIB, 6 + len(data))
    assert scrollback.read(scrollback.tail, len(data)) == data[-64 * KIB :]


def test_a_flood_is_written_over_the_oldest_bytes_and_asks_for_no_memory() -> None:
    scrollback = Scrollback(256 * KIB)
    scrollback.append(bytes(1024 * KIB))
    kept = scrollback._kept

    scrollback.append(bytes(1024 * KIB))

    assert scrollback._kept is kept
    assert len(kept) == 256 * KIB


def test_an_idle_session_keeps_next_to_nothing() -> None:
    scrollback = Scrollback(2 * KIB * KIB)
    scrollback.append(b"$ ")

    assert sys.getsizeof(scrollback._kept) < KIB


def test_the_oldest_byte_that_is_kept_reads_as_it_was_written() -> None:
    scrollback = Scrollback(64 * KIB)
    written = b"".join(number.to_bytes(4, "big") for number in range(100 * KIB))
    for start in range(0, len(written), 10_000):
        scrollback.append(written[start : start + 10_000])

    assert scrollback.tail > 0
    assert scrollback.read(scrollback.tail, 8) == written[scrollback.tail :][:8]
    assert scrollback.read(scrollback.tail, 64 * KIB) == written[scrollback.tail :]
