"""What a snapshot draws in xterm.js is what the stream itself draws there.

For each stream and cut: the bytes up to the cut against the snapshot at the cut, then both with
the rest of the bytes, then both after a few probes that show hidden state (saved cursor, tab stops,
what lies behind the alternate screen). Text, colours, attributes, cursor, modes, title.

Where Ghostty and xterm.js themselves disagree about a stream, no snapshot can be right for both.
Known, and kept out of the streams here:

- xterm.js has scroll regions and tab stops for each of the two screens, Ghostty (as xterm) one.
- `CSI ? 1049 h` with a coloured pen fills the alternate screen with it in xterm.js.
- `CSI S` and `CSI T` scroll in blank lines in xterm.js, lines in the colour of the pen in Ghostty.
- Each of Ghostty's screens has a cursor style of its own.
- While a graphics set is on, Ghostty prints a blank for a character outside ASCII.
- xterm.js keeps a pending wrap through erasing and with autowrap off; Ghostty ends it.
- Half of an overwritten wide character is blank in the old pen here and in the new one there.
- DECRC does not restore origin mode in xterm.js 6.0.
- Which lines count as wrapped after a reverse index, or after the second of them was cleared,
  differs; it shows only when the terminal is made wider later. Not compared.
- xterm.js drops bytes that are no UTF-8, Ghostty prints U+FFFD for them.
- A soft hyphen (U+00AD) takes no cell in xterm.js.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from protocol.size import Size
from terminal.screen.drawing import draw
from terminal.screen.emulator import GhosttyEmulator
from terminal.screen.limits import SCROLLBACK_LINES
from tests.terminal.screen import corpus, xterm
from tests.terminal.screen.xterm import Look, Step

pytestmark = pytest.mark.skipif(bool(xterm.missing()), reason=xterm.missing() or "ready")

_PROBES = (b"\x1b8Q\tT", b"\x1b[?1049lW", b"\x1b8V")
_NOT_COMPARED = {"replies", "bells"}
_RANDOM_STREAMS = 60


def _snapshot(size: Size, data: bytes, scrollback: int = 0) -> bytes:
    emulator = GhosttyEmulator(size)
    emulator.feed(data)
    drawn = draw(emulator.picture(), scrollback)
    emulator.close()
    return drawn


def _steps(first: bytes, rest: bytes) -> list[Step]:
    steps: list[Step] = [first, None, rest, None]
    for probe in _PROBES:
        steps += [probe, None]
    return steps


def _comparable(look: Look) -> dict[str, Any]:
    found = {name: value for name, value in look.items() if name not in _NOT_COMPARED}
    for name in ("active", "primary"):
        if found[name] is not None:
            found[name] = [row["runs"] for row in found[name]]
    return found


def _compare(cases: list[tuple[str, Size, bytes, int]]) -> None:
    asked: list[tuple[Size, list[Step]]] = []
    for _, size, data, cut in cases:
        asked.append((size, _steps(data[:cut], data[cut:])))
        asked.append((size, _steps(_snapshot(size, data[:cut]), data[cut:])))
    seen = xterm.looks(asked)
    for number, (name, _, data, cut) in enumerate(cases):
        true, drawn = seen[2 * number], seen[2 * number + 1]
        for stage, (expected, got) in enumerate(zip(true, drawn, strict=True)):
            where = f"{name}, cut at {cut} of {len(data)}, look {stage}"
            assert _comparable(got) == _comparable(expected), where
        assert drawn[0]["replies"] == "", name
        assert drawn[0]["bells"] == 0, name


def _cuts(data: bytes, count: int) -> list[int]:
    chance = random.Random(len(data))
    return sorted({*(chance.randrange(len(data) + 1) for _ in range(count)), len(data)})


def test_programs_look_the_same_from_a_snapshot() -> None:
    _compare(
        [
            (name, size, data, cut)
            for name, size, data in corpus.recorded()
            for cut in _cuts(data, 25)
        ]
    )


def test_every_matter_looks_the_same_from_a_snapshot() -> None:
    _compare(
        [(name, size, data, cut) for name, size, data in corpus.made() for cut in _cuts(data, 8)]
    )


def test_random_streams_look_the_same_from_a_snapshot() -> None:
    chance = random.Random(20)
    cases = []
    for number in range(_RANDOM_STREAMS):
        data = corpus.random_stream(chance, 40)
        cases += [(f"random {number}", corpus.SMALL, data, cut) for cut in _cuts(data, 2)]
    _compare(cases)


def test_what_needs_the_character_before_it_finds_it_after_a_snapshot() -> None:
    pairs = [
        (b"ab=", b"\x1b[5b"),
        (b"\x1b[31me", "\u0301".encode()),
        ("日".encode(), "\u0301".encode()),
        (b"z" * 30, "\u0301".encode()),
        (b"z" * 30, b"\x1b[3b"),
        (b"a\xe6\x97", b"\xa5b"),
        (b"a\x1b[3", b"1mred"),
        (b"a\x1b]2;ti", b"tle\x07b"),
    ]
    _compare([(repr(a), corpus.SMALL, a + b, len(a)) for a, b in pairs])


@pytest.mark.parametrize("new", [Size(17, 10), Size(45, 10), Size(30, 5), Size(30, 16)])
def test_resizing_after_a_snapshot_reflows_as_it_does_without(new: Size) -> None:
    size = corpus.SMALL
    lines = b"".join(b"%d " % n + b"word " * (n % 11) + b"\r\n" for n in range(25))
    data = lines + "日本語テキスト".encode() * 4 + b" tail"
    drawn = _snapshot(size, data, SCROLLBACK_LINES)
    rest: list[Step] = [new, None, b" more\r\n$ ", None]
    true, got = xterm.looks([(size, [data, *rest]), (size, [drawn, *rest])])
    for expected, look in zip(true, got, strict=True):
        assert _comparable(look) == _comparable(expected)


def test_resizing_before_a_snapshot_reflows_as_xterm_does() -> None:
    size, new = corpus.SMALL, Size(19, 12)
    data = b"".join(b"%d " % n + b"word " * (n % 11) + b"\r\n" for n in range(25)) + b"$ "
    emulator = GhosttyEmulator(size)
    emulator.feed(data)
    emulator.resize(new)
    drawn = draw(emulator.picture(), 0)
    true, got = xterm.looks([(size, [data, new, None]), (new, [drawn, None])])
    assert _comparable(got[0]) == _comparable(true[0])
