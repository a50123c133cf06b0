"""Dropping old lines from the emulator's state."""

from __future__ import annotations

import pytest

from protocol.size import Size
from terminal.screen.compact import compact
from terminal.screen.drawing import draw
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.errors import UnreadableState

_SIZE = Size(80, 24)
_LINE = (
    b"\x1b[1;34mdir\x1b[m e\xcc\x81 \x1b]8;;http://x\x1b\\words\x1b]8;;\x1b\\ %d \xe6\x97\xa5\r\n"
)


def _fed(lines: int, end: bytes = b"") -> GhosttyEmulator:
    emulator = GhosttyEmulator(_SIZE)
    emulator.feed(b"".join(_LINE % n for n in range(lines)) + end)
    return emulator


@pytest.mark.parametrize("end", [b"", b"\x1b[5;9H\x1b7\x1b[31", b"\x1b[?1049halt", b"x" * 200])
@pytest.mark.parametrize("size", [_SIZE, Size(33, 60), Size(120, 10)])
def test_what_is_left_is_the_same_and_goes_on_the_same(end: bytes, size: Size) -> None:
    first = _fed(500, end)
    state = first.keyframe()
    small = compact(state, 100)
    assert small is not None
    assert len(small) < len(state) / 2
    second = GhosttyEmulator.restore(small)
    assert len(second.picture().primary.history) == 100
    assert draw(second.picture(), 100) == draw(first.picture(), 100)
    for emulator in (first, second):
        emulator.feed(b"mmore\r\n" * 30 + b"\x1b8here\x1b[?1049l")
        emulator.resize(size)
        emulator.feed(b"after\r\n" * 3)
    assert draw(second.picture(), 30) == draw(first.picture(), 30)


@pytest.mark.parametrize("lines", [0, 10, 100, 150, 220])
def test_a_state_with_few_lines_is_left_alone(lines: int) -> None:
    assert compact(_fed(lines).keyframe(), 100) is None


def test_a_state_that_ends_early_is_refused() -> None:
    state = _fed(500).keyframe()
    with pytest.raises(UnreadableState):
        compact(state[: len(state) // 2], 100)
