"""Draw the rows of a screen as one flow of text, so that wrapped lines stay wrapped. Pure."""

from __future__ import annotations

import re

from terminal.screen.cells import CONTROL_CHARACTERS, background, character, words
from terminal.screen.errors import TooLarge
from terminal.screen.limits import SNAPSHOT_BYTES
from terminal.screen.picture import Grid, Row

CONTROLS = re.compile(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")
"""What no title and no link may bring into a snapshot."""

PROTECT, UNPROTECT = b'\x1b[1"q', b'\x1b[0"q'

# Style, protection and link: what the cells of a run have in common.
_LOOK = (0xFFFF << 26) | (1 << 44) | (0xFFFF << 48)


def draw_rows(grid: Grid, cols: int, scrollback: int) -> bytes:
    """Return what draws the rows of `grid` from the home position on.

    `scrollback`: lines above the screen to draw first. Raises TooLarge beyond SNAPSHOT_BYTES.
    """
    history = grid.history[-scrollback:] if scrollback else ()
    rows = (*history, *grid.rows)
    last = len(rows) - 1
    while last >= len(history) and not rows[last].cells:
        last -= 1
    # Lines above the screen leave it only if every line below them is walked through.
    last = len(rows) - 1 if history else max(last, 0)
    out = []
    total = 0
    pen = DrawnPen()
    continues = False
    for number in range(last + 1):
        row = rows[number]
        # A blank row continues nothing: whoever clears it means to end the line above.
        wraps = row.wrap and number < last and bool(rows[number + 1].cells)
        drawn = _row(row, cols, pen, continues=continues, wraps=wraps)
        total += len(drawn)
        if total > SNAPSHOT_BYTES:
            raise TooLarge
        out.append(drawn)
        if number < last and not wraps:
            out.append(pen.reset() + b"\r\n")
        continues = wraps
    out.append(pen.reset())
    return b"".join(out)


class DrawnPen:
    """What the terminal's pen is while rows are drawn."""

    def __init__(self) -> None:
        self._sgr = b""
        self._link = b""
        self._protected = False

    def use(self, sgr: bytes, link: bytes, protected: bool) -> bytes:
        """Return what makes the pen this one."""
        out = b""
        if sgr != self._sgr:
            out = set_pen(sgr)
            self._sgr = sgr
        if link != self._link:
            out += b"\x1b]8;%s\x1b\\" % (CONTROLS.sub(b"", link) or b";")
            self._link = link
        if protected != self._protected:
            out += PROTECT if protected else UNPROTECT
            self._protected = protected
        return out

    def reset(self) -> bytes:
        """Return what makes the pen the default one."""
        return self.use(b"", b"", False)


def set_pen(parameters: bytes) -> bytes:
    """Return the SGR sequence that sets exactly these parameters."""
    return b"\x1b[0;%sm" % parameters if parameters else b"\x1b[m"


def _row(row: Row, cols: int, pen: DrawnPen, *, continues: bool, wraps: bool) -> bytes:
    """Draw one row from its first column on.

    With `wraps` the row is filled, so that the next character wraps; with `continues` its first
    cell is printed even when it is blank, because printing it is what wraps.
    """
    if row.width_log2 < 2 and not row.graphemes and not continues and not wraps:
        text = row.cells.decode("latin-1" if row.width_log2 == 0 else "utf-16-le")
        if "\0" not in text:
            return pen.reset() + text.translate(CONTROL_CHARACTERS).encode()
    found = words(row)
    if wraps:
        found += [0] * (cols - len(found))
    styles, links = row.page.styles, row.page.links
    out: list[bytes] = []
    column, count = 0, len(found)
    while column < count:
        word = found[column]
        if word >> 42 & 2:
            column += 1
            continue
        kind = word & 3
        # Everything but the content decides how a cell is drawn; runs share it.
        if kind > 1 or not word >> 2 & 0xFFFFFF:
            end = column + 1
            while end < count and found[end] == word:
                end += 1
            length = end - column
            sgr = background(word) if kind > 1 else styles.get(word >> 26 & 0xFFFF, b"")
            printed = wraps or (continues and column == 0)
            if not printed and not sgr:
                out.append(b"\x1b[%dC" % length if length > 1 else b"\x1b[C")
            elif not printed and kind > 1:
                out.append(pen.use(sgr, b"", bool(word >> 44 & 1)))
                if end == cols:
                    out.append(b"\x1b[K")
                else:
                    out.append(b"\x1b[%dX\x1b[%dC" % (length, length))
            else:
                link = links.get(word >> 48, b"")
                out.append(pen.use(sgr, link, bool(word >> 44 & 1)) + b" " * length)
            column = end
            continue
        look = word & _LOOK
        sgr = styles.get(word >> 26 & 0xFFFF, b"")
        out.append(pen.use(sgr, links.get(word >> 48, b""), bool(word >> 44 & 1)))
        characters: list[str] = []
        while column < count:
            word = found[column]
            if word >> 42 & 2:
                column += 1
                continue
            if word & _LOOK != look or word & 2 or not word >> 2 & 0xFFFFFF:
                break
            characters.append(character(word >> 2 & 0xFFFFFF))
            if word & 1:
                characters.append(row.graphemes.get(column, ""))
            column += 1
        out.append("".join(characters).encode("utf-8", "replace"))
    return b"".join(out)
