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

from terminal.screen.limits import SCROLLBACK_LINES

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
    if start < len(data) // 2 or data.count(b"\n", 0, cut) < rows:
        return None
    if not _VISIBLE.search(data, start):
        return None
    return b"\r" + b"\n" * rows + data[start:]
