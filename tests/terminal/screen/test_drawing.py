"""A second Ghostty that is fed a snapshot is in the state of the first."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest

from protocol.size import Size
from terminal.screen.cells import background
from terminal.screen.drawing import draw, text
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.limits import SCROLLBACK_LINES, SNAPSHOT_BYTES
from terminal.screen.picture import Charsets, Grid, Picture, Row
from tests.terminal.screen import corpus

_STREAMS = corpus.recorded() + corpus.made()
_DEC_MODES = (1, 5, 6, 7, 25, 45, 66, 1004, 2004, 2026)
_MODES = [(4, True), (20, True), *((number, False) for number in _DEC_MODES)]
# What makes a terminal answer: device attributes and status, mode, size and setting reports,
# colour queries, ENQ; and what makes it ring outside a string.
_ASKS = re.compile(
    rb"\x1b\[[>=?]?[0-9;]*[cnx]|\x1b\[\??[0-9;]*\$p|\x1b\[[0-9;]*t|\x1bZ|\x1b\[[>=]?[0-9;]*q(?<! q)"
    rb"|\x1bP|\x1b\][0-9;]*\?|\x05|\x07"
)


def _model(size: Size, data: bytes) -> GhosttyEmulator:
    emulator = GhosttyEmulator(size)
    emulator.feed(data)
    return emulator


def _row(row: Row, following: Row | None) -> object:
    """Return what a row shows, without the page's own numbers for styles and links."""
    look = []
    step = 1 << row.width_log2
    for column in range(len(row.cells) // step):
        word = int.from_bytes(row.cells[column * step : (column + 1) * step], "little")
        if row.width_log2 < 2:
            word <<= 2
        style = row.page.styles.get(word >> 26 & 0xFFFF, b"")
        link = row.page.links.get(word >> 48, b"")
        # Blank or a space, a wide character or its two halves: what can be seen is the same.
        if word & 2:
            word, style = 0, background(word)
        content = word & 0x3FFFFFF
        shown = (content if content not in (0, 0x20 << 2) else 0, word >> 42 & 7)
        look.append((shown, style, link, row.graphemes.get(column, "")))
    while look and look[-1] == ((0, 0), b"", b"", ""):
        look.pop()
    wraps = row.wrap and following is not None and bool(following.cells)
    return wraps, look


def _plain_sets(charsets: Charsets) -> Charsets:
    """Return the sets with one number for ASCII: to designate it is never to have designated."""
    zero, one, two, three = (name if name > 1 else 0 for name in charsets.slots)
    return dataclasses.replace(charsets, slots=(zero, one, two, three))


def _grid(grid: Grid) -> object:
    rows = [
        _row(row, following)
        for row, following in zip(grid.rows, (*grid.rows[1:], None), strict=True)
    ]
    saved = grid.saved
    if saved is not None:
        saved = dataclasses.replace(saved, charsets=_plain_sets(saved.charsets))
    return rows, saved, grid.kitty_flags


def _state(picture: Picture) -> dict[str, object]:
    """Return everything that a snapshot promises to bring back."""
    active = picture.active
    ignored = {"primary", "other", "previous", "modes", "default_modes"}
    ignored.add("keeps_alternate")
    found: dict[str, object] = {
        field.name: getattr(picture, field.name)
        for field in dataclasses.fields(picture)
        if field.name not in ignored
    }
    found |= {
        "cursor": (active.x, active.y, active.pending_wrap, active.cursor_style),
        "pen": (active.pen, active.link),
        "charsets": _plain_sets(active.charsets),
        "screen": _grid(active),
        "modes": [picture.is_set(number, is_ansi) for number, is_ansi in _MODES],
    }
    if picture.other is not None:
        found["behind"] = _grid(picture.primary)
    return found


def _assert_same(size: Size, data: bytes, where: str) -> None:
    first = _model(size, data)
    drawn = draw(first.picture(), 0)
    second = _model(size, drawn)
    assert _state(second.picture()) == _state(first.picture()), where
    assert text(second.picture()) == text(first.picture()), where
    first.close()
    second.close()


@pytest.mark.parametrize(("name", "size", "data"), _STREAMS, ids=[name for name, _, _ in _STREAMS])
def test_a_snapshot_brings_back_the_whole_state(name: str, size: Size, data: bytes) -> None:
    chance = random.Random(name)
    for cut in {len(data), *(chance.randrange(len(data) + 1) for _ in range(20))}:
        _assert_same(size, data[:cut], f"{name} at {cut}")


def test_a_snapshot_of_a_random_stream_brings_back_the_whole_state() -> None:
    chance = random.Random(4)
    for number in range(300):
        data = corpus.random_stream(chance, 30)
        _assert_same(corpus.SMALL, data, f"{number}: {data!r}")


@pytest.mark.parametrize(("name", "size", "data"), _STREAMS, ids=[name for name, _, _ in _STREAMS])
def test_the_rest_of_the_stream_follows_a_snapshot_seamlessly(
    name: str, size: Size, data: bytes
) -> None:
    whole = _model(size, data)
    chance = random.Random(name)
    for cut in (chance.randrange(len(data) + 1) for _ in range(20)):
        resumed = _model(size, draw(_model(size, data[:cut]).picture(), 0) + data[cut:])
        expected, got = _state(whole.picture()), _state(resumed.picture())
        assert got["screen"] == expected["screen"], f"{name} at {cut}"
        assert got["cursor"] == expected["cursor"], f"{name} at {cut}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\x1b", b"[31mred"),
        (b"a\x1b[3", b"1mred"),
        (b"a\x1b[?20", b"04h"),
        (b"a\x1b]0;tit", b"le\x07b"),
        (b"a\xe6\x97", b"\xa5b"),
        (b"a\xf0\x9f\x98", b"\x80b"),
        (b"e", "\u0301".encode()),
        (b"e\xcc", b"\x81x"),
        (b"\x1bP$q", b"m\x1b\\b"),
        (b"=", b"\x1b[5b"),
        (b"a\r", b"\nb"),
    ],
)
def test_what_is_cut_in_two_is_whole_after_a_snapshot(before: bytes, after: bytes) -> None:
    size = Size(20, 5)
    whole = _model(size, before + after).picture()
    resumed = _model(size, draw(_model(size, before).picture(), 0) + after).picture()
    assert _state(resumed) == _state(whole)


def test_a_snapshot_asks_nothing_and_rings_not() -> None:
    chance = random.Random(9)
    streams = [data for _, _, data in _STREAMS]
    streams += [corpus.hostile_stream(chance, 2000) for _ in range(60)]
    for data in streams:
        picture = dataclasses.replace(_model(corpus.SMALL, data).picture(), continuation=b"")
        found = _ASKS.search(draw(picture, SCROLLBACK_LINES))
        assert found is None, found


def test_a_title_cannot_carry_a_sequence() -> None:
    picture = _model(corpus.SMALL, b"").picture()
    evil = dataclasses.replace(picture, title=b"a\x1b\\\x1b[5n\x07\xc2\x9b5nb")
    assert draw(evil, 0) == b"\x1b]2;a\\[5n5nb\x1b\\\x1b[1;1H"


def test_lines_above_the_screen_are_drawn_when_asked_for() -> None:
    size = Size(20, 5)
    first = _model(size, b"".join(b"line %d\r\n" % n for n in range(20)) + b"$ ")
    second = _model(size, draw(first.picture(), 7))
    assert text(second.picture()) == text(first.picture())
    above = [row.cells for row in second.picture().primary.history]
    assert above == [b"line %d" % n for n in range(9, 16)]


def test_the_text_is_what_one_sees() -> None:
    picture = _model(Size(20, 5), "\x1b[31m日本 e\u0301\x1b[m\r\n\r\n  end   ".encode()).picture()
    assert text(picture) == "日本 e\u0301\n\n  end"


def test_a_screen_that_would_take_too_many_bytes_loses_its_look_and_not_its_text() -> None:
    size = Size(300, 150)
    links = [
        b"\x1b]8;;http://h/%s\x1b\\\x1b[38;2;%d;2;3m%c" % (b"u" * 900, n, 97 + n) for n in (0, 1)
    ]
    screenful = b"".join(links) * (size.cols * size.rows // 2)
    first = _model(size, b"shell\x1b[?1049h\x1b[H" + screenful)
    drawn = draw(first.picture(), SCROLLBACK_LINES)
    second = _model(size, drawn)
    assert len(drawn) <= SNAPSHOT_BYTES
    assert text(second.picture()) == text(first.picture()) == "\n".join(["ab" * 150] * 150)
    second.feed(b"\x1b[?1049l")
    assert text(second.picture()) == "shell"
