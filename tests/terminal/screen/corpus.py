"""Streams to show: recorded from real programs, hand-made, and random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from protocol.size import Size

_RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "screens"
STANDARD = Size(80, 24)
SMALL = Size(30, 10)


def recorded() -> list[tuple[str, Size, bytes]]:
    """Return what bash, vim, less and tmux wrote to a terminal: name, its size, the bytes."""
    found = []
    for path in sorted(_RECORDED.glob("*.bin")):
        size = Size(63, 17) if path.stem == "less-open" else STANDARD
        found.append((path.stem, size, path.read_bytes()))
    assert len(found) == 6
    return found


def _meter(load: int) -> bytes:
    bars = load * 40 // 100
    colour = 31 if load > 80 else 32
    rest = b" " * (40 - bars)
    return b"\x1b[%dm%s\x1b[90m%s\x1b[m]%3d%%\x1b[K" % (colour, b"|" * bars, rest, load)


def _monitor(frames: int) -> bytes:
    """Redraw the whole screen again and again, as htop does."""
    chance = random.Random(5)
    out = [b"\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[?1h\x1b=\x1b[?25l"]
    out.append(b"\x1b[39;49m\x1b[?1006;1000h\x1b[H\x1b[2J")
    for frame in range(frames):
        for core in range(4):
            out.append(b"\x1b[%d;3H%d[" % (core + 1, core) + _meter(chance.randrange(101)))
        out.append(b"\x1b[6d\x1b[30;42m\x1b[K  PID USER      CPU%  COMMAND\x1b[m")
        for line in range(7, 24):
            mark = b"\x1b[30;46m" if line == 7 + frame % 17 else b""
            name = chance.choice(("nginx", "python3", "数据库", "café", "ünï"))
            row = f"{chance.randrange(9999):5} app    {chance.random() * 100:5.1f}  {name}"
            out.append(b"\x1b[%d;1H%s%s\x1b[K\x1b[m" % (line, mark, row.encode()))
        out.append(b"\x1b[24;1H\x1b[30;46mF1\x1b[30;42mHelp  \x1b[m\x1b[K")
    return b"".join(out)


def made() -> list[tuple[str, Size, bytes]]:
    """Return streams that each show one matter: name, size, bytes."""
    cjk = "日本語テキストと漢字、".encode()
    lines = b"".join(b"line %d\r\n" % n for n in range(30))
    palette = b"".join(b"\x1b[48;5;%dm\x1b[38;5;%dm%3d" % (n, 255 - n, n) for n in range(256))
    true = b"".join(b"\x1b[38;2;%d;%d;7;48;2;0;%d;9mx" % (n, 255 - n, n) for n in range(0, 256, 3))
    names = (b"1", b"2", b"3", b"4", b"7", b"9", b"53", b"4:3", b"21", b"1;3;4;7")
    attributes = b"".join(b"\x1b[%smword\x1b[0m " % name for name in names)
    return [
        ("monitor", STANDARD, _monitor(6)),
        ("wide at the edge", Size(21, 8), b"a" + cjk * 6 + b"\r\n" + "😀🎉".encode() * 7),
        (
            "16 colours",
            STANDARD,
            b"".join(b"\x1b[%d;%dmX" % (30 + n % 8, 100 + n // 8) for n in range(64)),
        ),
        ("256 colours", STANDARD, palette + b"\x1b[0m done"),
        ("true colours", STANDARD, true),
        ("attributes", STANDARD, attributes),
        (
            "background erase",
            SMALL,
            b"\x1b[44m\x1b[2J\x1b[3;4Hblue\x1b[42m\x1b[K\x1b[0m\r\n\x1b[1Kplain\x1b[2X",
        ),
        (
            "scroll region",
            SMALL,
            lines + b"\x1b[3;7r\x1b[7;1Ha\r\nb\r\nc\r\n\x1b[3;1H\x1bM\x1bMtop",
        ),
        (
            "insert and delete",
            SMALL,
            lines + b"\x1b[4;1H\x1b[2L\x1b[7;3H\x1b[M\x1b[2;2H\x1b[3@\x1b[5;1H\x1b[2P",
        ),
        ("insert mode", SMALL, b"abcdef\x1b[1;3H\x1b[4hXY"),
        ("tab stops", Size(40, 6), b"\x1b[3g\x1b[5G\x1bH\x1b[15G\x1bH\r\ta\tb\r\n\tc"),
        ("origin mode", SMALL, lines + b"\x1b[4;8r\x1b[?6h\x1b[2;3Hhere"),
        ("wrapped lines", SMALL, b"x" * 75 + b"\r\n" + cjk * 3 + b"\r\nend"),
        ("pending wrap", SMALL, b"\x1b[31m" + b"y" * 30),
        ("pending wrap, other pen", SMALL, b"\x1b[31m" + b"y" * 30 + b"\x1b[32m"),
        ("pending wide wrap", SMALL, "あ".encode() * 15),
        (
            "alternate",
            SMALL,
            lines + b"\x1b[5;6H\x1b[32m\x1b[?1049h\x1b[m\x1b[H\x1b[2Jalt\x1b[7;7Hq",
        ),
        ("old alternate", SMALL, lines + b"\x1b7\x1b[?47h\x1b[Halt"),
        ("saved cursor", SMALL, b"one\x1b[35m\x1b[4;5H\x1b7\x1b[m\x1b[9;9Hnine"),
        (
            "modes",
            SMALL,
            b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?25l\x1b[?45h\x1b[5 q",
        ),
        ("mouse, last wins", SMALL, b"\x1b[?1003h\x1b[?1000h"),
        ("graphics set", SMALL, b"\x1b(0lqqk\r\nx  x\r\nmqqj\x1b(B text \x1b)0\x0eqq\x0f"),
        ("graphics set left on", SMALL, b"\x1b(0lqqk"),
        ("combining", SMALL, "e\u0301a\u0308o\u0302".encode()),
        ("link", SMALL, b"see \x1b]8;;http://example.test/\x1b\\here\x1b]8;;\x1b\\ now"),
        ("title", SMALL, b"\x1b]0;shell: \xe6\x97\xa5\x07$ "),
        ("bell and nothing", SMALL, b"a\x07\x00\x05b"),
        ("hidden text", SMALL, b"\x1b[8msecret\x1b[m shown"),
        ("autowrap off", SMALL, b"\x1b[?7labc"),
        ("synchronized", SMALL, b"\x1b[?2026hhalf"),
    ]


_WORDS = ["alpha", "beta", "gamma", "naïve", "δοκιμή", "zebra"]
_PENS = (
    b"\x1b[m",
    b"\x1b[1;31m",
    b"\x1b[7m",
    b"\x1b[4;3m",
    b"\x1b[48;2;1;2;3m",
    b"\x1b[2;9m",
    b"\x1b[49m",
    b"\x1b[97;104m",
    b"\x1b[38;5;99m",
)
# With a plain pen and the whole region, as programs do; and with a saved cursor of its own.
_ENTER, _LEAVE = b"\x1b[m\x1b[r\x1b[?1049h\x1b7", b"\x1b[m\x1b[r\x1b[?1049l"
_MODES = (b"4", b"?25", b"?1", b"?2004", b"?1000", b"?1002", b"?1006", b"?66")


def random_stream(chance: random.Random, fragments: int, size: Size = SMALL) -> bytes:
    """Return a stream of text and of everything that common programs do to a screen."""
    out = []
    is_alternate = False
    for _ in range(fragments):
        if chance.randrange(20) == 0:
            is_alternate = not is_alternate
            out.append(_ENTER if is_alternate else _LEAVE)
        out.append(_fragment(chance, size))
    return b"".join(out)


def _fragment(chance: random.Random, size: Size) -> bytes:
    number = chance.randrange
    row, column, few = number(1, size.rows + 1), number(1, size.cols + 1), number(1, 4)
    choices: Sequence[bytes] = (
        " ".join(chance.choice(_WORDS) for _ in range(few)).encode(),
        " ".join(chance.choice(_WORDS) for _ in range(few)).encode(),
        b"\r\n" * few,
        b"x" * number(2 * size.cols),
        b"\x1b[%d;%dH" % (row, column),
        chance.choice(_PENS),
        chance.choice(_PENS),
        b"\x1b[%dJ" % number(3),
        b"\x1b[%dK" % number(3),
        b"\x1b[%d%c" % (few, chance.choice(b"LMPX@ABCD")),
        b"\x1b[%d;%dr" % (min(row, size.rows - 1), size.rows),
        b"\x1b[r",
        b"\x1b[%s%c" % (chance.choice(_MODES), chance.choice(b"hl")),
        chance.choice((b"\x1bM", b"\x1bD", b"\x1bE", b"\x1b7", b"\x1b8")),
        b"\t",
        b"\b" * few,
        b"\x1b(0lqk\x1b(B",
        b"\x1b]0;title %d\x07" % number(100),
        "e\u0301".encode(),
        b"\x07",
    )
    return chance.choice(choices)


def hostile_stream(chance: random.Random, length: int) -> bytes:
    """Return bytes that are mostly escape sequences, most of them broken."""
    out = bytearray()
    while len(out) < length:
        out += chance.choice(
            (
                chance.randbytes(chance.randrange(1, 40)),
                b"\x1b[" + bytes(chance.choices(b"0123456789;:?<=>! \"'$", k=chance.randrange(12))),
                bytes(chance.choices(b"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu", k=1)),
                b"\x1b" + bytes(chance.choices(b"[]P_^X(#%78=>DEHMNOZc", k=1)),
                b"\x1b[?%d%c"
                % (chance.choice((3, 6, 7, 40, 47, 69, 1049, 2027)), chance.choice(b"hl")),
                "漢😀é\u0301".encode(),
                b"\x1b\\\x07",
            )
        )
    return bytes(out[:length])
