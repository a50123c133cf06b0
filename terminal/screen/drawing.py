"""Turn a `Picture` into escape sequences that draw it on a freshly reset terminal. Pure.

The order matters and is the algorithm:

1. Title and changed colours.
2. With an alternate screen: the primary one with its saved cursor, then the switch.
3. The rows of the active screen in one flow, so that wrapped lines stay wrapped lines.
4. Tab stops, scroll region, saved cursor, modes, keyboard, mouse, cursor style.
5. Pen, character sets, origin mode, cursor. Where the character before the cursor was the last one
   printed, it is printed again instead of moved behind: only so is a pending wrap set, and only so
   do REP and combining characters that come next find what they belong to.
6. Insert mode and autowrap, which would spoil what is drawn before.
7. The bytes of an unfinished sequence.

Nothing in it asks the terminal a question and nothing rings. One mode answers by itself: a
terminal that has the focus reports it when focus reporting (1004) is switched on, so whoever writes
a snapshot must drop what the terminal wants to send meanwhile.

Not drawn, because the browser's terminal has no such thing: left and right margins, kitty images,
saved modes, in-band size reports (2048), grapheme clustering (2027), column mode (3, 40); and the
saved cursor of an alternate screen that is not shown, which whoever enters it saves again.
"""

from __future__ import annotations

import contextlib

from terminal.screen.cells import cell_before, characters, cuts_wide
from terminal.screen.errors import TooLarge
from terminal.screen.limits import SNAPSHOT_BYTES, TITLE_BYTES
from terminal.screen.picture import (
    MODES,
    Charsets,
    Color,
    CursorStyle,
    Grid,
    MouseEvent,
    MouseFormat,
    Picture,
    without_look,
    without_rows_behind,
)
from terminal.screen.rows import CONTROLS, PROTECT, UNPROTECT, DrawnPen, draw_rows, set_pen

_TAB_EVERY = 8
_DESIGNATE = b"()*+"
# What a designated set is called: the first is the state after a reset.
_CHARSET_NAMES = (b"B", b"B", b"A", b"0")
_ASCII = (0, 1)
_LOCKING_SHIFT_LEFT = (b"\x0f", b"\x0e", b"\x1bn", b"\x1bo")
_LOCKING_SHIFT_RIGHT = (b"", b"\x1b~", b"", b"\x1b|")
_SINGLE_SHIFT = (b"", b"", b"", b"\x1bN", b"\x1bO")
_MOUSE_EVENTS = {
    MouseEvent.X10: 9,
    MouseEvent.NORMAL: 1000,
    MouseEvent.BUTTON: 1002,
    MouseEvent.ANY: 1003,
}
_MOUSE_FORMATS = {
    MouseFormat.UTF8: 1005,
    MouseFormat.SGR: 1006,
    MouseFormat.URXVT: 1015,
    MouseFormat.SGR_PIXELS: 1016,
}
_CURSOR_STYLES = {
    CursorStyle.BLOCK: 2,
    CursorStyle.BLOCK_HOLLOW: 2,
    CursorStyle.UNDERLINE: 4,
    CursorStyle.BAR: 6,
}
_INSERT, _ORIGIN, _AUTOWRAP, _BLINKING = 4, 6, 7, 12
# Placed elsewhere, or unknown to the browser's terminal (see the module's text).
_MODES_NOT_HERE = frozenset(
    {3, 40, 69, 2027, 6, 7, 12, 47, 1047, 1048, 1049}
    | set(_MOUSE_EVENTS.values())
    | set(_MOUSE_FORMATS.values())
)


def draw(picture: Picture, scrollback: int) -> bytes:
    """Return the sequences, with up to `scrollback` lines above the screen.

    They are exact up to SNAPSHOT_BYTES, which only a hostile program reaches. Then the lines above
    are left out, then the look of the cells, then what lies behind the alternate screen.
    """
    plain = without_look(picture)
    for attempt, lines in ((picture, scrollback), (picture, 0), (plain, 0)):
        with contextlib.suppress(TooLarge):
            return _draw(attempt, lines)
    return _draw(without_rows_behind(plain), 0)


def _draw(picture: Picture, scrollback: int) -> bytes:
    cols = picture.size.cols
    out = [_colors(picture)]
    if picture.title:
        out.append(b"\x1b]2;%s\x1b\\" % CONTROLS.sub(b"", picture.title[:TITLE_BYTES]))
    stops = _tab_stops(picture)
    if picture.other is not None:
        out += [draw_rows(picture.primary, cols, scrollback), stops]
        out.append(_saved(picture, picture.primary))
        out += [_keyboard(picture.primary), b"\x1b[?1047h\x1b[H"]
        scrollback = 0
    grid = picture.active
    out += [draw_rows(grid, cols, scrollback), stops]
    top, bottom = picture.region
    if (top, bottom) != (0, picture.size.rows - 1):
        out.append(b"\x1b[%d;%dr" % (top + 1, bottom + 1))
    out += [_saved(picture, grid), _modes(picture), _keyboard(grid)]
    if picture.modify_other_keys:
        out.append(b"\x1b[>4;2m")
    out += [_cursor_style(picture), _cursor(picture, grid)]
    out.append(picture.continuation)
    if sum(map(len, out)) > SNAPSHOT_BYTES:
        raise TooLarge
    return b"".join(out)


def text(picture: Picture) -> str:
    """Return the visible text, lines without their trailing blanks."""
    lines = []
    for row in picture.active.rows:
        cells = [cell or " " for cell in characters(row)]
        lines.append("".join(cells).rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def spare_halves(picture: Picture, cols: int) -> bytes:
    """Return what erases the wide characters that a screen of `cols` columns would cut in two.

    Only where lines are not reflowed: on the alternate screen (all of it, if it is not shown) and
    with autowrap off. Empty when there is nothing to erase.
    """
    grid = picture.active
    out = []
    if picture.other is not None or not picture.is_set(_AUTOWRAP):
        out += [_erase_cell(cols - 1, y) for y, row in enumerate(grid.rows) if cuts_wide(row, cols)]
    if picture.keeps_alternate:
        out.append(b"\x1b[?47h\x1b[2J\x1b[?47l")
    if not out:
        return b""
    # Nothing is printed again, for it could be what was erased; a pending wrap ends as it does
    # when a screen is resized.
    return b"".join(
        (
            b"\x18" if picture.continuation else b"",
            b"\x1b[?6l" if picture.is_set(_ORIGIN) else b"",
            b"\x1b]8;;\x1b\\" if grid.link else b"",
            set_pen(b""),
            *out,
            _cursor(picture, grid, prints=False),
            picture.continuation,
        )
    )


def _erase_cell(x: int, y: int) -> bytes:
    return b"\x1b[%d;%dH\x1b[X" % (y + 1, x + 1)


def _colors(picture: Picture) -> bytes:
    out = [b"\x1b]4;%d;%s\x1b\\" % (n, _rgb(color)) for n, color in picture.palette.items()]
    for number, color in (
        (10, picture.foreground),
        (11, picture.background),
        (12, picture.cursor_color),
    ):
        if color is not None:
            out.append(b"\x1b]%d;%s\x1b\\" % (number, _rgb(color)))
    return b"".join(out)


def _rgb(color: Color) -> bytes:
    return b"rgb:%02x/%02x/%02x" % (color.red, color.green, color.blue)


def _tab_stops(picture: Picture) -> bytes:
    cols = picture.size.cols
    if picture.tab_stops == tuple(range(_TAB_EVERY, cols, _TAB_EVERY)):
        return b""
    stops = b"".join(b"\x1b[%dG\x1bH" % (column + 1) for column in picture.tab_stops)
    return b"\x1b[3g" + stops


def _modes(picture: Picture) -> bytes:
    changed = picture.modes ^ picture.default_modes
    out = []
    for bit, (number, is_ansi) in enumerate(MODES):
        if not changed >> bit & 1:
            continue
        here = number == 20 if is_ansi else number not in _MODES_NOT_HERE
        if here:
            out.append(_mode(number, is_ansi, bool(picture.modes >> bit & 1)))
    # What was asked for last wins, so it comes last.
    if picture.mouse_event is not MouseEvent.NONE:
        out += _last(picture, _MOUSE_EVENTS[picture.mouse_event], list(_MOUSE_EVENTS.values()))
    if picture.mouse_format is not MouseFormat.X10:
        out += _last(picture, _MOUSE_FORMATS[picture.mouse_format], list(_MOUSE_FORMATS.values()))
    return b"".join(out)


def _last(picture: Picture, active: int, numbers: list[int]) -> list[bytes]:
    others = [n for n in numbers if n != active and picture.is_set(n)]
    return [_mode(number, False, True) for number in (*others, active)]


def _mode(number: int, is_ansi: bool, is_set: bool) -> bytes:
    return b"\x1b[%s%d%s" % (b"" if is_ansi else b"?", number, b"h" if is_set else b"l")


def _keyboard(grid: Grid) -> bytes:
    if not any(grid.kitty_flags):
        return b""
    first, *pushed = grid.kitty_flags
    return b"\x1b[=%d;1u" % first + b"".join(b"\x1b[>%du" % flags for flags in pushed)


def _cursor_style(picture: Picture) -> bytes:
    blinking = picture.is_set(_BLINKING)
    if not picture.cursor_is_default:
        return b"\x1b[%d q" % (_CURSOR_STYLES[picture.active.cursor_style] - blinking)
    default = picture.is_set_by_default(_BLINKING)
    return _mode(_BLINKING, False, blinking) if blinking != default else b""


def _charsets(charsets: Charsets) -> bytes:
    out = [
        b"\x1b%c%s" % (_DESIGNATE[slot], _CHARSET_NAMES[name])
        for slot, name in enumerate(charsets.slots)
        if name not in _ASCII
    ]
    if charsets.gl:
        out.append(_LOCKING_SHIFT_LEFT[charsets.gl])
    out.append(_LOCKING_SHIFT_RIGHT[charsets.gr])
    return b"".join(out)


def _saved(picture: Picture, grid: Grid) -> bytes:
    """Return what makes the terminal's saved cursor this one and leaves defaults behind."""
    saved = grid.saved
    if saved is None:
        return b""
    out = [_place(picture, saved.x, saved.y, saved.origin)]
    if saved.pending_wrap:
        out.append(_reprint(picture, grid, saved.y, saved.origin))
    charsets = _charsets(saved.charsets)
    out += [set_pen(saved.pen.sgr), PROTECT if saved.pen.protected else b"", charsets, b"\x1b7"]
    if charsets:
        out.append(b"\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b}")
    if saved.origin:
        out.append(b"\x1b[?6l")
    if saved.pen.protected:
        out.append(UNPROTECT)
    out.append(set_pen(b""))
    return b"".join(out)


def _place(picture: Picture, x: int, y: int, origin: bool) -> bytes:
    if not origin:
        return b"\x1b[%d;%dH" % (y + 1, x + 1)
    # With origin mode rows count from the top of the region.
    return b"\x1b[?6h\x1b[%d;%dH" % (max(y - picture.region[0], 0) + 1, x + 1)


def _reprint(picture: Picture, grid: Grid, y: int, origin: bool) -> bytes:
    """Return what prints the last cell of row `y` again, its pen included: the wrap is pending."""
    cols = picture.size.cols
    found = cell_before(grid, cols, y)
    if found is None:
        return _place(picture, cols - 1, y, origin) + b" "
    pen = DrawnPen()
    drawn = pen.use(*found.look) + found.text.encode("utf-8", "replace") + pen.reset()
    return _place(picture, cols - found.width, y, origin) + drawn


def _cursor(picture: Picture, grid: Grid, *, prints: bool = True) -> bytes:
    """Draw steps 5 and 6: pen, character sets, origin, cursor, insert mode, autowrap.

    With `prints` the character before the cursor is printed again where that matters.
    """
    origin = picture.is_set(_ORIGIN)
    insert = picture.is_set(_INSERT, is_ansi=True)
    charsets = _charsets(grid.charsets)
    rest = set_pen(grid.pen.sgr) if grid.pen.sgr else b""
    if grid.pen.protected:
        rest += PROTECT
    if grid.link:
        rest += b"\x1b]8;%s\x1b\\" % CONTROLS.sub(b"", grid.link)
    rest += charsets
    if insert:
        rest += b"\x1b[4h"
    if not picture.is_set(_AUTOWRAP):
        rest += b"\x1b[?7l"
    shift = _SINGLE_SHIFT[grid.charsets.single_shift]
    if not prints:
        return _place(picture, grid.x, grid.y, origin) + rest + shift
    end = picture.size.cols if grid.pending_wrap else grid.x
    last = cell_before(grid, end, grid.y) if end else None
    if (
        last is not None
        and (grid.pending_wrap or not insert)
        and not shift
        and (not charsets or not last.text.isascii())
        and last.look == (grid.pen.sgr, grid.link, grid.pen.protected)
        and picture.previous == ord(last.text[-1])
    ):
        place = _place(picture, end - last.width, grid.y, origin)
        return rest + place + last.text.encode("utf-8", "replace")
    if grid.pending_wrap:
        return _reprint(picture, grid, grid.y, origin) + rest + shift
    return _place(picture, grid.x, grid.y, origin) + rest + shift
