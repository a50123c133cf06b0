"""What is held back for a model: all of it, or the tail of a plain flood."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.size import Size
from terminal.screen import held as held_module
from terminal.screen import shortcut
from terminal.screen.drawing import draw
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.held import Held
from terminal.screen.limits import HOLD_BYTES, SCROLLBACK_LINES
from terminal.screen.wire import Position, Tail

SIZE = Size(12, 4)
LINE = b"a line\r\n"
FLOOD = LINE * (HOLD_BYTES // len(LINE) + 1)


class Fed:
    """Output fed to one Held, and what came out of it."""

    def __init__(self) -> None:
        self.held = Held(SIZE)
        self.end = Position(0, 0)
        self.out: list[bytes | Tail] = []

    def feed(self, data: bytes) -> None:
        self.end = Position(self.end.offset + len(data), self.end.resizes)
        self.out += self.held.add(data, self.end)

    def resize(self, size: Size) -> None:
        self.end = Position(self.end.offset, self.end.resizes + 1)
        self.out += self.held.release(self.end)
        self.held.shortcut.resized(self.end, size)

    def release(self) -> None:
        self.out += self.held.release(self.end)

    def is_plain(self) -> None:
        """Be told that the terminal is in its plain state after all that came out."""
        self.held.shortcut.was_plain(self.end)


def test_little_output_is_held_until_it_is_asked_for() -> None:
    fed = Fed()
    for piece in (b"one ", b"two"):
        fed.feed(piece)
    assert fed.out == []
    assert (fed.held.count, fed.held.kept_bytes) == (7, 7)
    fed.release()
    assert fed.out == [b"one two"]
    assert (fed.held.count, fed.held.kept_bytes) == (0, 0)


def test_much_output_is_not_held() -> None:
    fed = Fed()
    fed.feed(b"\x1b[1m" + b"x" * HOLD_BYTES)
    assert [len(output) for output in fed.out if isinstance(output, bytes)] == [HOLD_BYTES + 4]
    assert fed.held.count == 0


def test_a_plain_flood_is_held_as_one_small_tail() -> None:
    fed = Fed()
    fed.is_plain()
    for _ in range(50):
        fed.feed(FLOOD)
    assert fed.out == []
    assert fed.held.count == 50 * len(FLOOD)
    assert fed.held.kept_bytes < 2048
    fed.release()
    (tail,) = fed.out
    assert isinstance(tail, Tail)
    assert tail.stands_for == 50 * len(FLOOD)
    assert fed.held.count == 0


@pytest.mark.parametrize("odd", [b"\x1b[?7l", b"\x0e", Size(20, 8), "never told", "half a letter"])
def test_nothing_is_cut_where_the_terminal_may_not_be_plain(odd: bytes | Size | str) -> None:
    fed = Fed()
    if odd != "never told":
        fed.is_plain()
    if isinstance(odd, bytes):
        fed.feed(odd)
        fed.release()
    elif isinstance(odd, Size):
        fed.resize(odd)
    elif odd == "half a letter":
        fed.feed("日".encode()[:2])
        fed.release()
    fed.feed(FLOOD)
    fed.release()
    assert fed.out[-1] == FLOOD


def test_what_is_told_of_the_time_before_a_sequence_says_nothing_about_the_time_after() -> None:
    fed = Fed()
    before = fed.end
    fed.feed(b"\x1b[4h" + FLOOD)
    fed.held.shortcut.was_plain(before)
    fed.feed(FLOOD)
    assert not any(isinstance(output, Tail) for output in fed.out)


def test_a_new_model_must_tell_anew() -> None:
    fed = Fed()
    fed.is_plain()
    fed.held.shortcut.forget()
    fed.feed(FLOOD)
    assert fed.out == [FLOOD]


_PLAIN = st.sampled_from(
    [LINE * 60, b"y\r\n" * 150, "日本語\r\n".encode() * 60, b"\r\n" * 130, b"x" * 400, b"\t\b\a$ "]
)
_ODD = st.sampled_from(
    [
        *(b"\x1b[31m", b"\x1b[2;3r", b"\x1b[r", b"\x1b[?7l", b"\x1b[?7h", b"\x1b[4h", b"\x1b[4l"),
        *(b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b(0", b"\x1b(B", b"\x1b[2;5H", b"\x1b[3", b"\x0e"),
        *("日".encode()[:2], "日".encode()[2:], b"\x1b[?6h", b"\x1b[?6l", b"\x1bc", b"\x1b]0;name"),
    ]
)
_SIZES = st.sampled_from([Size(12, 4), Size(20, 6), Size(7, 3)])
_STEPS = st.lists(
    st.one_of(_PLAIN, _PLAIN, _PLAIN, _ODD, _SIZES, st.just("release")),
    min_size=6,
    max_size=30,
)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=_STEPS)
def test_a_model_fed_with_what_comes_out_shows_what_went_in(
    monkeypatch: pytest.MonkeyPatch, steps: list[bytes | Size | str]
) -> None:
    monkeypatch.setattr(held_module, "HOLD_BYTES", 700)
    monkeypatch.setattr(shortcut, "SHORTCUT_BYTES", 300)
    whole, model = GhosttyEmulator(SIZE), GhosttyEmulator(SIZE)
    fed, taken = Fed(), 0

    def take() -> None:
        nonlocal taken
        for output in fed.out[taken:]:
            model.feed(output.data if isinstance(output, Tail) else output)
        taken = len(fed.out)

    for step in steps:
        if isinstance(step, Size):
            fed.resize(step)
            take()
            whole.resize(step)
            model.resize(step)
        elif isinstance(step, bytes):
            fed.feed(step)
            whole.feed(step)
            take()
        else:
            fed.release()
            take()
        if model.is_ground() and model.is_plain():
            there = fed.end.offset - fed.held.count
            fed.held.shortcut.was_plain(Position(there, fed.end.resizes))
    fed.release()
    take()

    assert model.is_ground() == whole.is_ground()
    for emulator in (whole, model):
        emulator.feed(b"\x18")
    seen, expected = model.picture(), whole.picture()
    assert draw(seen, SCROLLBACK_LINES) == draw(expected, SCROLLBACK_LINES)
    assert seen.previous == expected.previous
