"""The frames between server and helper."""

from __future__ import annotations

import pytest

from protocol.size import Size
from terminal.screen import wire
from terminal.screen.errors import BrokenFrame
from terminal.screen.limits import FRAME_BYTES
from terminal.screen.wire import Kind, Position, Snapshot, Tail


def test_what_is_packed_is_read_again() -> None:
    data = wire.frame(7, Kind.FEED, b"abc")
    assert wire.read_header(data[: wire.HEADER.size]) == (7, Kind.FEED, 3)
    assert data[wire.HEADER.size :] == b"abc"
    assert wire.read_size(wire.pack_size(Size(500, 300))) == Size(500, 300)
    position = Position(2**40, 5)
    assert wire.read_position(wire.pack_position(position, b"rest")) == (position, b"rest")
    assert wire.read_consumed(wire.pack_consumed(position, True)) == (position, True)
    tail = Tail(b"the end\r\n", 2**32 - 1)
    assert wire.read_tail(wire.pack_tail(tail)) == tail
    assert wire.read_request(wire.pack_request(2**32 - 1, 100)) == (2**32 - 1, 100)
    assert wire.read_failed(wire.pack_failed(3, "Sorry.")) == (3, "Sorry.")
    snapshot = Snapshot(2**40, Size(80, 24), b"\x1b[H", "日本\ntext", True, "título")
    assert wire.read_snapshot(wire.pack_snapshot(9, snapshot)) == (9, snapshot)


@pytest.mark.parametrize(
    "header",
    [wire.HEADER.pack(1, Kind.FEED, FRAME_BYTES + 1), wire.HEADER.pack(1, 99, 0)],
    ids=["too long", "of no kind"],
)
def test_a_frame_that_is_none_is_refused(header: bytes) -> None:
    with pytest.raises(BrokenFrame):
        wire.read_header(header)


def test_a_payload_that_is_too_short_is_refused() -> None:
    for read in (
        *(wire.read_size, wire.read_position, wire.read_consumed, wire.read_tail),
        *(wire.read_request, wire.read_snapshot),
    ):
        with pytest.raises(BrokenFrame):
            read(b"\0")
