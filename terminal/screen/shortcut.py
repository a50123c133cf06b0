"""The exact shortcut for plain floods: only the end of them can be seen. Pure.

A run of output may be replaced by its tail when nothing before the tail can leave a trace:

1. The run holds only printable characters, CR, LF, TAB, BS and BEL: nothing that changes a mode,
   the pen, tab stops or the region. C1 controls written as UTF-8 do not count as printable.
2. The terminal is in its plain state (`is_plain` of the emulator): nothing unfinished, whole
   region, autowrap, no origin or insert mode, no reverse wrap, no foreign character set.
3. What is dropped ends with CR LF, so the tail starts in column 0 without a pending wrap, and holds
   enough line feeds to have reached the last row whatever the cursor was before.
4. The tail holds enough line feeds to scroll away all that the dropped part has put on the screen
   and into the kept scrollback, and at least one character, because the last one is remembered.

What stands for the dropped part is CR and one LF for each row: the cursor is then where it was.
"""

from __future__ import annotations

import re

from protocol.size import Size
from terminal.screen.limits import SCROLLBACK_LINES, SHORTCUT_BYTES
from terminal.screen.wire import Position, Tail

_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_PLAIN = bytes((*range(0x20, 0x7F), *range(0x80, 0x100))) + b"\r\n\t\b\a"
_LINE_END = b"\r\n"
_VISIBLE = re.compile(rb"[!-~]")


def is_plain(data: bytes) -> bool:
    """Return whether `data` meets point 1."""
    if data.translate(None, _PLAIN):
        return False
    return b"\xc2" not in data or _C1.search(data) is None


def shorten(data: bytes, rows: int) -> bytes | None:
    """Return what to feed instead of plain `data` in a plain terminal of `rows` rows.

    None when nothing would be gained: `data` itself is to be fed.
    """
    cut = len(data)
    for _ in range(rows + SCROLLBACK_LINES + 1):
        cut = data.rfind(_LINE_END, 0, cut)
        if cut < 0:
            return None
    start = cut + len(_LINE_END)
    if start < len(data) // 2 or not _has_lines(data, cut, rows):
        return None
    if not _VISIBLE.search(data, start):
        return None
    return b"\r" + b"\n" * rows + data[start:]


class Shortcut:
    """Cuts the plain floods of one screen to their tails before they leave the server.

    A tail is a thousandth of the flood: neither its way to the helper nor what is kept to rebuild
    the model then costs what the flood does. The helper tells where the terminal was in its plain
    state; plain output leaves it there.
    """

    __slots__ = ("_is_between_characters", "_odd_at", "_plain_at", "_rows")

    def __init__(self, size: Size) -> None:
        self._rows = size.rows
        self._plain_at: Position | None = None
        self._odd_at = Position(0, 0)
        """Behind the last output that was not plain, and the last resize."""
        self._is_between_characters = True

    def take(self, data: bytes, end: Position) -> bytes | Tail:
        """Return what to feed for `data`, the next output, which ends at `end`; not empty."""
        starts_anew, self._is_between_characters = self._is_between_characters, data[-1] < 0x80
        if not is_plain(data):
            self._odd_at = end
            return data
        if len(data) < SHORTCUT_BYTES or not starts_anew or self._plain_at is None:
            return data
        short = shorten(data, self._rows) if self._plain_at >= self._odd_at else None
        return data if short is None else Tail(short, len(data))

    def resized(self, end: Position, size: Size) -> None:
        """Note a resize, which is over at `end`."""
        self._rows = size.rows
        self._odd_at = end

    def was_plain(self, position: Position) -> None:
        """Note that the terminal was in its plain state at `position`."""
        self._plain_at = position

    def forget(self) -> None:
        """Cut nothing until the helper has told again that the terminal is plain."""
        self._plain_at = None


def _has_lines(data: bytes, end: int, count: int) -> bool:
    at = -1
    for _ in range(count):
        at = data.find(b"\n", at + 1, end)
        if at < 0:
            return False
    return True
