"""The plain flood's shortcut: the screen is the same with it as without it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.size import Size
from terminal.screen.drawing import draw
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.limits import SCROLLBACK_LINES
from terminal.screen.shortcut import is_plain, shorten

_SIZE = Size(12, 4)
_LINES = st.sampled_from(
    [
        "y",
        "",
        "tab\there",
        "back\b\bspace",
        "over\rwrite",
        "bell\a",
        "日本語テキスト",
        "e\u0301",
        "\u0301",
        "😀",
        "\u00a0é",
        "   ",
        "x" * 30,
        "a" * 12,
        "a" * 11 + "日",
    ]
)
_ENDS = st.sampled_from(["\r\n"] * 8 + ["\n", "\r", "\r\r\n", "\n\n"])
_BEFORE = st.lists(
    st.sampled_from(
        [
            b"\x1b[31m",
            b"\x1b[44m",
            b"text",
            b"\x1b[3;5H",
            b"x" * 12,
            "日".encode() * 6,
            b"\x1b[?1049h",
            b"\r\n" * 9,
            b"\x1b7",
            b"\x1b[20h",
            b"\x1b[3g",
            b"\x1b]8;;http://h\x1b\\",
            b"\x1b[?25l",
            b'\x1b[1"q',
        ]
    ),
    max_size=6,
)
# What must keep the shortcut away.
_UNUSUAL = st.sampled_from(
    [
        b"\x1b[2;3r",
        b"\x1b[?7l",
        b"\x1b[4h",
        b"\x1b[?6h",
        b"\x1b(0",
        b"\x1b)0\x0e",
        b"\x1b[?45h",
        b"\x1b[3",
        b"\xe6",
    ]
)
_AFTER = st.sampled_from([b"", b"\x1b[5b", b"\x1b8Z", b"\tq\r\n"])


@st.composite
def _floods(draw_one: st.DrawFn) -> bytes:
    """Return plain output with enough line ends to be shortened, and a ragged end."""
    block = "".join(draw_one(_LINES) + draw_one(_ENDS) for _ in range(draw_one(st.integers(3, 12))))
    times = 3 * (_SIZE.rows + SCROLLBACK_LINES) // max(block.count("\r\n"), 1) + 1
    ragged = draw_one(st.sampled_from([b"", b"$ ", b"\r", b"\t", b"x" * 12, "日".encode()[:2]]))
    return block.encode() * times + ragged


def _seen(emulator: GhosttyEmulator) -> tuple[bytes, object, bool]:
    picture = emulator.picture()
    active = picture.active
    return draw(picture, SCROLLBACK_LINES), picture.previous, active.pending_wrap


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    before=_BEFORE, flood=_floods(), after=st.sampled_from([b"", b"\x1b[5b", b"\x1b8Z", b"\tq\r\n"])
)
def test_a_shortened_flood_leaves_the_same_screen(
    before: list[bytes], flood: bytes, after: bytes
) -> None:
    assert is_plain(flood)
    whole, shortened = GhosttyEmulator(_SIZE), GhosttyEmulator(_SIZE)
    for emulator in (whole, shortened):
        emulator.feed(b"".join(before))
    assert shortened.is_plain()
    whole.feed(flood)
    short = shorten(flood, _SIZE.rows)
    shortened.feed(flood if short is None else short)
    assert _seen(shortened) == _seen(whole)
    for emulator in (whole, shortened):
        emulator.feed(after)
    assert _seen(shortened) == _seen(whole)


@settings(deadline=None, derandomize=True)
@given(unusual=_UNUSUAL)
def test_an_unusual_terminal_is_not_plain(unusual: bytes) -> None:
    emulator = GhosttyEmulator(_SIZE)
    assert emulator.is_plain()
    emulator.feed(unusual)
    assert not emulator.is_plain()


def test_only_plain_text_is_plain() -> None:
    assert is_plain("y\r\n日本 é\u00a0\t\b\a".encode())
    for other in (b"\x1b", b"\x0e", b"\x7f", b"\0", b"\x0b", "\x9b".encode(), "\x85".encode()):
        assert not is_plain(b"yes\r\n" + other + b"no\r\n")


def test_a_flood_of_lines_becomes_a_small_part_of_itself() -> None:
    flood = b"y\r\n" * 100_000
    short = shorten(flood, 24)
    assert short is not None
    assert len(short) < 1000


def test_what_does_not_scroll_far_is_left_alone() -> None:
    assert shorten(b"x" * 1_000_000, 24) is None
    assert shorten(b"y\r\n" * 50, 24) is None
    assert shorten(b"\r\n" * 100_000, 24) is None
