"""The emulator: chunks, keyframes, endless sequences, modes it must not follow."""

from __future__ import annotations

import random

import pytest

from protocol.size import Size
from terminal.screen.drawing import draw, text
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.errors import UnreadableState
from terminal.screen.limits import CONTINUATION_BYTES, PIECE_BYTES, SCROLLBACK_LINES
from tests.terminal.screen import corpus

_STREAMS = corpus.recorded() + corpus.made()


def _fed(size: Size, *pieces: bytes) -> GhosttyEmulator:
    emulator = GhosttyEmulator(size)
    for piece in pieces:
        emulator.feed(piece)
    return emulator


@pytest.mark.parametrize(("name", "size", "data"), _STREAMS, ids=[name for name, _, _ in _STREAMS])
def test_chunks_do_not_matter(name: str, size: Size, data: bytes) -> None:
    chance = random.Random(name)
    pieces, at = [], 0
    while at < len(data):
        length = chance.choice((1, 2, 3, 7, 100))
        pieces.append(data[at : at + length])
        at += length
    assert _fed(size, *pieces).keyframe() == _fed(size, data).keyframe()


@pytest.mark.parametrize(("name", "size", "data"), _STREAMS, ids=[name for name, _, _ in _STREAMS])
def test_a_keyframe_brings_back_every_bit(name: str, size: Size, data: bytes) -> None:
    cut = random.Random(name).randrange(len(data) + 1)
    first = _fed(size, data[:cut])
    second = GhosttyEmulator.restore(first.keyframe())
    assert second.size == size
    assert draw(second.picture(), SCROLLBACK_LINES) == draw(first.picture(), SCROLLBACK_LINES)
    first.feed(data[cut:])
    second.feed(data[cut:])
    assert draw(second.picture(), SCROLLBACK_LINES) == draw(first.picture(), SCROLLBACK_LINES)


def test_a_keyframe_that_is_none_is_refused() -> None:
    good = _fed(corpus.SMALL, b"hello").keyframe()
    for bad in (b"", b"nonsense", good[:-20], good[:40] + b"\xff" * 40 + good[80:]):
        with pytest.raises(UnreadableState):
            GhosttyEmulator.restore(bad)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b"\x1b]0;", b"\x07"),
        (b"\x1b]52;c;", b"\x1b\\"),
        (b"\x1bPq", b"\x1b\\"),
        (b"\x1b_G", b"\x1b\\"),
        (b"\x1b^", b"\x1b\\"),
        (b"\x1bX", b"\x1b\\"),
        (b"\x1b[", b"m"),
    ],
)
def test_an_endless_sequence_stays_one(start: bytes, end: bytes) -> None:
    size = Size(20, 4)
    body = b"1;" * (5 * CONTINUATION_BYTES // 2)
    emulator = _fed(size, b"before" + start + body)
    drawn = draw(emulator.picture(), 0)
    assert len(drawn) < CONTINUATION_BYTES + PIECE_BYTES
    resumed = _fed(size, drawn, b"2" + end + b"after")
    emulator.feed(b"2" + end + b"after")
    assert text(emulator.picture()) == text(resumed.picture()) == "beforeafter"
    assert emulator.picture().continuation == b""


@pytest.mark.parametrize("modes", [b"\x1b[?40h\x1b[?3h", b"\x1b[?69h", b"\x1b[?2027h"])
def test_modes_that_browsers_do_not_have_are_not_followed(modes: bytes) -> None:
    size = Size(20, 4)
    emulator = _fed(size, modes)
    emulator.feed(b"\x1b[5;10s")
    picture = emulator.picture()
    assert picture.size == size
    assert not picture.is_set(40)
    assert not picture.is_set(69)
    assert not picture.is_set(2027)


def test_a_screen_that_is_not_reflowed_may_cut_a_wide_character_in_two() -> None:
    emulator = _fed(Size(20, 4), b"\x1b[?1049h\x1b[31m\x1b[2;1H", "日本語".encode())
    emulator.feed(b"\x1b[4;9Hx")
    emulator.resize(Size(5, 4))
    picture = emulator.picture()
    assert text(picture) == "\n日本"
    assert (picture.active.x, picture.active.y) == (4, 3)
    assert picture.active.pen.sgr == b"31"


def test_hostile_streams_with_resizes_leave_a_screen_that_can_be_drawn() -> None:
    chance = random.Random(11)
    emulator = GhosttyEmulator(corpus.SMALL)
    for _ in range(150):
        emulator.feed(corpus.hostile_stream(chance, 3000))
        size = Size(chance.randrange(2, 200), chance.randrange(2, 100))
        emulator.resize(size)
        picture = emulator.picture()
        assert picture.size == size
        assert len(draw(picture, SCROLLBACK_LINES)) < 4_000_000
        emulator = GhosttyEmulator.restore(emulator.keyframe())


def test_the_scrollback_is_bounded() -> None:
    emulator = _fed(Size(80, 24), b"".join(b"line %d\r\n" % n for n in range(20_000)))
    # Whole pages are dropped, so there may be more than asked for, but not without end.
    assert SCROLLBACK_LINES <= len(emulator.picture().primary.history) < 10 * SCROLLBACK_LINES
