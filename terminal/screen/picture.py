"""The state of a terminal as the emulator reports it: everything that can be drawn again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum

from protocol.size import Size

MODES: tuple[tuple[int, bool], ...] = (
    (2, True),
    (4, True),
    (12, True),
    (20, True),
    (1, False),
    (3, False),
    (4, False),
    (5, False),
    (6, False),
    (7, False),
    (8, False),
    (9, False),
    (12, False),
    (25, False),
    (40, False),
    (45, False),
    (47, False),
    (66, False),
    (67, False),
    (69, False),
    (1000, False),
    (1002, False),
    (1003, False),
    (1004, False),
    (1005, False),
    (1006, False),
    (1007, False),
    (1015, False),
    (1016, False),
    (1035, False),
    (1036, False),
    (1039, False),
    (1045, False),
    (1047, False),
    (1048, False),
    (1049, False),
    (2004, False),
    (2026, False),
    (2027, False),
    (2031, False),
)
"""Number and "is an ANSI mode" of each bit of a mode set, lowest first. Later bits are reports
that the browser's terminal does not know."""

_MODE_BITS = {mode: bit for bit, mode in enumerate(MODES)}


class MouseEvent(IntEnum):
    """Which mouse events the program asked for."""

    NONE = 0
    X10 = 1
    NORMAL = 2
    BUTTON = 3
    ANY = 4


class MouseFormat(IntEnum):
    """How mouse events are written."""

    X10 = 0
    UTF8 = 1
    SGR = 2
    URXVT = 3
    SGR_PIXELS = 4


class CursorStyle(IntEnum):
    """The shape of the cursor."""

    BAR = 0
    BLOCK = 1
    UNDERLINE = 2
    BLOCK_HOLLOW = 3


@dataclass(frozen=True, slots=True)
class Color:
    """An RGB colour, 0 to 255 each."""

    red: int
    green: int
    blue: int


@dataclass(frozen=True, slots=True)
class Charsets:
    """Designated character sets G0 to G3 (see `native.py`), what GL and GR point to, single shift.

    `single_shift` is 0 for none, else one plus the slot.
    """

    slots: tuple[int, int, int, int]
    gl: int
    gr: int
    single_shift: int


@dataclass(frozen=True, slots=True)
class Pen:
    """How the next character looks: SGR parameters without the leading 0, and protection."""

    sgr: bytes
    protected: bool


@dataclass(frozen=True, slots=True)
class SavedCursor:
    """What DECSC kept."""

    x: int
    y: int
    pen: Pen
    pending_wrap: bool
    origin: bool
    charsets: Charsets


@dataclass(frozen=True, slots=True)
class Page:
    """Tables that the cells of a group of rows refer to."""

    styles: dict[int, bytes]
    """SGR parameters (without the leading 0) by style number."""
    links: dict[int, bytes]
    """`params;uri` of OSC 8 by link number."""
    is_plain: bool = False
    """Cells are to be taken without their look."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of cells.

    `cells` are cell words without the default cells at the end (their layout is in `native.py`),
    one of them 1, 2, 4 or 8 bytes wide: `1 << width_log2`.
    """

    wrap: bool
    """The next row continues this one."""
    width_log2: int
    cells: bytes
    graphemes: dict[int, str]
    """Combining characters by column."""
    page: Page


@dataclass(frozen=True, slots=True)
class Grid:
    """One of the two screens."""

    x: int
    y: int
    pending_wrap: bool
    cursor_style: CursorStyle
    pen: Pen
    link: bytes
    """OSC 8 `params;uri` of the link that is open, or empty."""
    charsets: Charsets
    kitty_flags: tuple[int, ...]
    """The stack of keyboard flags up to the current entry."""
    saved: SavedCursor | None
    history: tuple[Row, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything about a terminal that can be drawn again."""

    size: Size
    region: tuple[int, int]
    """First and last row that scroll, both inclusive, from 0."""
    alternate: bool
    primary: Grid
    other: Grid | None
    """The alternate screen, if it is active."""
    keeps_alternate: bool
    """Whether there is an alternate screen that is not active."""
    previous: int | None
    """The character that was printed last (for REP and combining characters)."""
    cursor_is_default: bool
    modify_other_keys: bool
    mouse_event: MouseEvent
    mouse_format: MouseFormat
    modes: int
    """Bits as in `MODES`."""
    default_modes: int
    foreground: Color | None
    background: Color | None
    cursor_color: Color | None
    palette: dict[int, Color]
    """Entries that the program has changed."""
    tab_stops: tuple[int, ...]
    """Columns, from 0."""
    title: bytes
    continuation: bytes
    """Bytes of a sequence or character that is not finished."""

    @property
    def active(self) -> Grid:
        """The screen that is shown."""
        return self.other if self.other is not None else self.primary

    def is_set(self, number: int, is_ansi: bool = False) -> bool:
        """Return whether a mode of `MODES` is set."""
        return bool(self.modes >> _MODE_BITS[number, is_ansi] & 1)

    def is_set_by_default(self, number: int, is_ansi: bool = False) -> bool:
        """Return whether a mode of `MODES` is set after a reset."""
        return bool(self.default_modes >> _MODE_BITS[number, is_ansi] & 1)


def without_look(picture: Picture) -> Picture:
    """Return the same picture with nothing but the characters in its cells."""
    other = picture.other
    return dataclasses.replace(
        picture,
        primary=_plain_grid(picture.primary),
        other=None if other is None else _plain_grid(other),
    )


def without_rows_behind(picture: Picture) -> Picture:
    """Return the same picture with a blank screen behind the alternate one."""
    blank = tuple(Row(False, 0, b"", {}, _PLAIN) for _ in picture.primary.rows)
    if picture.other is None:
        return picture
    return dataclasses.replace(picture, primary=dataclasses.replace(picture.primary, rows=blank))


_PLAIN = Page({}, {}, is_plain=True)


def _plain_grid(grid: Grid) -> Grid:
    rows = tuple(dataclasses.replace(row, graphemes={}, page=_PLAIN) for row in grid.rows)
    return dataclasses.replace(grid, rows=rows, history=())
