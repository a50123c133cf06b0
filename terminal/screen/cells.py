"""Read the cells of a row: their words, text, look and background. Pure.

The layout of a cell word is in `native.py`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from terminal.screen.picture import Grid, Row

CONTROL_CHARACTERS = dict.fromkeys((*range(32), *range(127, 160)), " ")
"""What no cell may bring back into a stream, as a table for `str.translate`."""

_WIDE_HEAD = 1
# Content and width: what a cell has without its look.
_BARE = (0xFFFFFF << 2) | (3 << 42)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a character in it."""

    width: int
    text: str
    look: tuple[bytes, bytes, bool]
    """SGR parameters, link, protection."""


def words(row: Row) -> list[int]:
    """Return the cells of a row as complete words."""
    match row.width_log2:
        case 0:
            return [n << 2 for n in row.cells]
        case 1:
            return [n << 2 for n in memoryview(row.cells).cast("H")]
        case 2:
            found = array("I", row.cells).tolist()
        case _:
            found = array("Q", row.cells).tolist()
    if row.page.is_plain:
        return [0 if word & 2 else word & _BARE for word in found]
    return found


def characters(row: Row) -> list[str]:
    """Return the text of each cell: empty where nothing was printed, none for spacers."""
    found = []
    for column, word in enumerate(words(row)):
        if word >> 42 & 2:
            continue
        point = word >> 2 & 0xFFFFFF if word & 3 < 2 else 0
        found.append((character(point) + row.graphemes.get(column, "")) if point else "")
    return found


def character(point: int) -> str:
    """Return a character that may be written to a terminal."""
    return " " if point in CONTROL_CHARACTERS else chr(point)


def background(word: int) -> bytes:
    """Return the SGR parameters of a cell that has nothing but a background."""
    content = word >> 2 & 0xFFFFFF
    if word & 3 == 3:
        return b"48;2;%d;%d;%d" % (content & 255, content >> 8 & 255, content >> 16)
    index = content & 255
    if index < 8:
        return b"%d" % (40 + index)
    return b"%d" % (92 + index) if index < 16 else b"48;5;%d" % index


def cell_before(grid: Grid, end: int, y: int) -> Cell | None:
    """Return the cell that ends before column `end`; None if it is blank."""
    row = grid.rows[y]
    found = words(row)
    column = end - 1
    if column >= len(found):
        return None
    if found[column] >> 42 & 3 == 2:
        column -= 1
    word = found[column]
    point = word >> 2 & 0xFFFFFF
    if word & 2 or not point:
        return None
    sgr = row.page.styles.get(word >> 26 & 0xFFFF, b"")
    link = row.page.links.get(word >> 48, b"")
    text = character(point) + row.graphemes.get(column, "")
    return Cell(end - column, text, (sgr, link, bool(word >> 44 & 1)))


def cuts_wide(row: Row, cols: int) -> bool:
    """Return whether a screen of `cols` columns would show the first half of a wide character."""
    at = (cols - 1) << row.width_log2
    if row.width_log2 < 3 or at >= len(row.cells):
        return False
    return int.from_bytes(row.cells[at : at + 8], "little") >> 42 & 3 == _WIDE_HEAD
