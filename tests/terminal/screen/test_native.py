"""Reading the emulator's state refuses what it does not know."""

from __future__ import annotations

import pytest

from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.errors import UnreadableState
from terminal.screen.native import read_picture
from tests.terminal.screen import corpus


def test_another_version_is_refused() -> None:
    state = bytearray(GhosttyEmulator(corpus.SMALL).keyframe())
    state[8] = 2
    with pytest.raises(UnreadableState):
        read_picture(bytes(state), b"")


def test_a_state_that_ends_early_is_refused() -> None:
    emulator = GhosttyEmulator(corpus.SMALL)
    emulator.feed(b"\x1b]8;;http://h\x1b\\link\x1b[31mred" + "e\u0301".encode())
    state = emulator.keyframe()
    for length in (0, 9, 30, 500, len(state) // 2):
        with pytest.raises(UnreadableState):
            read_picture(state[:length], b"")
