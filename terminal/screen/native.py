"""Read Ghostty's snapshot format (version 1) into a `Picture`. Pure.

Layout: an envelope of 10 bytes (`GHOSTSNP`, u16 version), then records of `u16 tag, u32 length,
u32 crc` and a payload; little-endian. TERMINAL; then for each screen SCREEN and its PAGEs
(oldest first); CONTINUATION; READY; for each screen HISTORY and its PAGEs (newest first); FINISH.
The pages of a SCREEN are whole pages: rows above the last `rows` of them are history too.

A cell is a 64-bit word: 2 bits kind (0 character, 1 character with combining ones, 2 palette
background, 3 RGB background), 24 bits content, 16 bits style, 2 bits width (0 narrow, 1 wide,
2 spacer after a wide one, 3 spacer before a wrapped wide one), 1 bit protected, 1 bit linked,
2 bits semantic content, 16 bits link. Rows store their words shortened: at 1 and 2 bytes only the
content, at 4 bytes the low half.

The format is the library's own and may change with its version, which is why it is refused unless
the version is the known one, and why requirements/ pins the library by hash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from protocol.size import Size
from terminal.screen.errors import UnreadableState
from terminal.screen.picture import (
    Charsets,
    Color,
    CursorStyle,
    Grid,
    MouseEvent,
    MouseFormat,
    Page,
    Pen,
    Picture,
    Row,
    SavedCursor,
)

MAGIC = b"GHOSTSNP\x01\x00"
RECORD = struct.Struct("<HII")
TERMINAL, SCREEN, PAGE, HISTORY = range(1, 5)
"""Tags of the records that are read; READY, FINISH and CONTINUATION follow them."""

# columns, rows, width and height in pixels, region top bottom left right, status display,
# active screen, screens, previous character, cursor: default? style, blink; shell redraw,
# modify-other-keys, mouse event, format, shift capture, shape; password; modes now, saved, default
_TERMINAL_HEADER = struct.Struct("<HHIIHHHHBHHIBBBBBBBBBBQQQ")
_DYNAMIC_COLORS_BYTES, _SCROLLBACK_LIMITS_BYTES, _PALETTE_BYTES = 24, 16, 768
# key, pages, history rows, x, y, cursor style, flags
_SCREEN_HEADER = struct.Struct("<HHQHHBB")
# link number, charsets, protected mode, keyboard stack index, its 8 entries, semantic click, saved?
_SCREEN_TAIL = struct.Struct("<IHBB8sBBB")
STYLE_BYTES = 16
PAGE_HEADER = struct.Struct("<HHHHHHII")
_NO_CHARACTER = 0xFFFFFFFF


def read_picture(state: bytes, continuation: bytes) -> Picture:
    """Return what `state` (an encoded snapshot) says.

    `continuation` replaces the one in the state, which is absent when it was too long to keep.
    Raises UnreadableState when the format is not the known one.
    """
    try:
        return _read(state, continuation)
    except (struct.error, LookupError, ValueError) as error:
        raise UnreadableState(str(error)) from error


def _read(state: bytes, continuation: bytes) -> Picture:
    if not state.startswith(MAGIC):
        raise UnreadableState("another version")
    terminal = b""
    screens: list[tuple[bytes, list[bytes]]] = []
    histories: dict[int, list[bytes]] = {}
    pages: list[bytes] = []
    for tag, payload in read_records(state):
        if tag == TERMINAL:
            terminal = payload
        elif tag == SCREEN:
            pages = []
            screens.append((payload, pages))
        elif tag == PAGE:
            pages.append(payload)
        elif tag == HISTORY:
            pages = histories.setdefault(payload[0], [])
    (
        columns, rows, _, _, top, bottom, _, _, _, active, _, previous, cursor_is_default,
        _, _, _, modify_other_keys, event, mouse_format, _, _, _, modes, _, default_modes,
    ) = _TERMINAL_HEADER.unpack_from(terminal)  # fmt: skip
    size = Size(columns, rows)
    at = _TERMINAL_HEADER.size
    background, foreground, cursor_color = (
        Color(*terminal[at + n + 5 : at + n + 8]) if terminal[at + n + 4] else None
        for n in (0, 8, 16)
    )
    at += _DYNAMIC_COLORS_BYTES + _SCROLLBACK_LIMITS_BYTES
    stop_bytes = (columns + 7) // 8
    stops = int.from_bytes(terminal[at : at + stop_bytes], "little")
    at += stop_bytes + _PALETTE_BYTES
    mask = int.from_bytes(terminal[at : at + 32], "little")
    at += 32
    palette: dict[int, Color] = {}
    for index in range(256):
        if mask >> index & 1:
            palette[index] = Color(*terminal[at : at + 3])
            at += 3
    _, at = _text(terminal, at)
    title, _ = _text(terminal, at)
    grids = {
        payload[0]: _read_grid(payload, rows, own, histories.get(payload[0], []))
        for payload, own in screens
    }
    return Picture(
        size=size,
        region=(top, bottom),
        alternate=active == 1,
        primary=grids[0],
        other=grids[1] if active == 1 else None,
        keeps_alternate=active == 0 and 1 in grids,
        previous=None if previous == _NO_CHARACTER else previous,
        cursor_is_default=bool(cursor_is_default),
        modify_other_keys=bool(modify_other_keys),
        mouse_event=MouseEvent(event),
        mouse_format=MouseFormat(mouse_format),
        modes=modes,
        default_modes=default_modes,
        foreground=foreground,
        background=background,
        cursor_color=cursor_color,
        palette=palette,
        tab_stops=tuple(column for column in range(columns) if stops >> column & 1),
        title=title,
        continuation=continuation,
    )


def read_records(state: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and payload of each record."""
    at = len(MAGIC)
    while at < len(state):
        tag, length, _ = RECORD.unpack_from(state, at)
        at += RECORD.size
        yield tag, state[at : at + length]
        at += length


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<I", data, at)
    return data[at + 4 : at + 4 + length], at + 4 + length


def _read_grid(payload: bytes, rows: int, pages: list[bytes], history: list[bytes]) -> Grid:
    _, _, _, x, y, style, flags = _SCREEN_HEADER.unpack_from(payload)
    at = _SCREEN_HEADER.size
    pen = Pen(_sgr(payload[at : at + STYLE_BYTES]), bool(flags & 2))
    at += STYLE_BYTES
    _, charsets, _, index, stack, _, _, has_saved = _SCREEN_TAIL.unpack_from(payload, at)
    at += _SCREEN_TAIL.size
    saved = None
    if has_saved:
        saved_x, saved_y = struct.unpack_from("<HH", payload, at)
        saved_style = payload[at + 4 : at + 4 + STYLE_BYTES]
        saved_flags, saved_charsets = struct.unpack_from("<BH", payload, at + 4 + STYLE_BYTES)
        saved = SavedCursor(
            x=saved_x,
            y=saved_y,
            pen=Pen(_sgr(saved_style), bool(saved_flags & 1)),
            pending_wrap=bool(saved_flags & 2),
            origin=bool(saved_flags & 4),
            charsets=_charsets(saved_charsets),
        )
        at += 4 + STYLE_BYTES + 3
    link, _ = read_link(payload, at)
    all_rows = [row for page in (*reversed(history), *pages) for row in _read_page(page)]
    return Grid(
        x=x,
        y=y,
        pending_wrap=bool(flags & 1),
        cursor_style=CursorStyle(style),
        pen=pen,
        link=link,
        charsets=_charsets(charsets),
        kitty_flags=tuple(stack[: index + 1]),
        saved=saved,
        history=tuple(all_rows[:-rows]),
        rows=tuple(all_rows[-rows:]),
    )


def _charsets(raw: int) -> Charsets:
    slots = (raw & 3, raw >> 2 & 3, raw >> 4 & 3, raw >> 6 & 3)
    return Charsets(slots, raw >> 8 & 3, raw >> 10 & 3, raw >> 12 & 7)


def read_link(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a link at `at`: its `params;uri` and where it ends."""
    kind = data[at]
    at += 1
    name = b""
    match kind:
        case 0:
            return b"", at
        case 1:
            at += 4
        case _:
            name, at = _text(data, at)
    uri, at = _text(data, at)
    return (b"id=" + name if name else b"") + b";" + uri, at


def _read_page(data: bytes) -> Iterator[Row]:
    _, rows, styles, links, _, _, _, _ = PAGE_HEADER.unpack_from(data)
    at = PAGE_HEADER.size
    page = Page({}, {})
    for _ in range(styles):
        (number,) = struct.unpack_from("<H", data, at)
        page.styles[number] = _sgr(data[at + 2 : at + 2 + STYLE_BYTES])
        at += 2 + STYLE_BYTES
    for _ in range(links):
        (number,) = struct.unpack_from("<H", data, at)
        page.links[number], at = read_link(data, at + 2)
    found: list[Row] = []
    for _ in range(rows):
        flags, count = struct.unpack_from("<BH", data, at)
        width_log2 = flags >> 4 & 3
        at += 3
        end = at + (count << width_log2)
        found.append(Row(bool(flags & 1), width_log2, data[at:end], {}, page))
        at = end
    (entries,) = struct.unpack_from("<I", data, at)
    at += 4
    for _ in range(entries):
        row, column, count = struct.unpack_from("<HHH", data, at)
        points = struct.unpack_from(f"<{count}I", data, at + 6)
        found[row].graphemes[column] = "".join(map(chr, points))
        at += 6 + 4 * count
    yield from found


_UNDERLINES = (b"", b"4", b"4:2", b"4:3", b"4:4", b"4:5")
_ATTRIBUTES = (
    (0, b"1"),
    (2, b"2"),
    (1, b"3"),
    (3, b"5"),
    (4, b"7"),
    (5, b"8"),
    (6, b"9"),
    (7, b"53"),
)


def _sgr(style: bytes) -> bytes:
    """Return the parameters of SGR that make this style from the default one."""
    (flags,) = struct.unpack_from("<H", style, 12)
    parts = [code for bit, code in _ATTRIBUTES if flags >> bit & 1]
    if underline := flags >> 8 & 7:
        parts.append(_UNDERLINES[underline])
    for first, at in ((30, 0), (40, 4)):
        kind, one, two, three = style[at : at + 4]
        if kind == 1 and one < 8:
            parts.append(b"%d" % (first + one))
        elif kind == 1 and one < 16:
            parts.append(b"%d" % (first + 52 + one))
        elif kind == 1:
            parts.append(b"%d;5;%d" % (first + 8, one))
        elif kind == 2:
            parts.append(b"%d;2;%d;%d;%d" % (first + 8, one, two, three))
    kind, one, two, three = style[8:12]
    if kind == 1:
        parts.append(b"58:5:%d" % one)
    elif kind == 2:
        parts.append(b"58:2::%d:%d:%d" % (one, two, three))
    return b";".join(parts)
