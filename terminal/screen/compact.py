"""Drop old lines from a Ghostty snapshot, so that a quiet session costs little memory. Pure.

Ghostty frees scrollback by the page, and a page of 80 columns has about 600 lines and 400 KiB. A
terminal restored from a snapshot without the lines that nobody needs has small pages. The layout
is in `native.py`; what changes is the number of rows and pages, the rows themselves, the row
numbers of combining characters, and the checksums (CRC-32C of tag, length and payload).
"""

from __future__ import annotations

import struct

from terminal.screen.errors import UnreadableState
from terminal.screen.native import (
    HISTORY,
    MAGIC,
    PAGE,
    PAGE_HEADER,
    RECORD,
    SCREEN,
    STYLE_BYTES,
    read_link,
    read_records,
)

_POLYNOMIAL = 0x82F63B78


def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)


_CRC = _table()


def compact(state: bytes, lines: int) -> bytes | None:
    """Return `state` with `lines` lines above each screen that has more than twice as many.

    None if none has. Raises UnreadableState when the format is not the known one.
    """
    try:
        return _compact(state, lines)
    except (struct.error, LookupError, ValueError) as error:
        raise UnreadableState(str(error)) from error


def _compact(state: bytes, lines: int) -> bytes | None:
    records = list(read_records(state))
    (rows,) = struct.unpack_from("<H", records[0][1], 2)
    # Where in `records` the header and the pages of each part are.
    headers: dict[tuple[int, int], int] = {}
    pages: dict[tuple[int, int], list[int]] = {}
    own: list[int] = []
    for place, (tag, data) in enumerate(records):
        if tag in (SCREEN, HISTORY):
            headers[tag, data[0]] = place
            own = pages[tag, data[0]] = []
        elif tag == PAGE:
            own.append(place)
    dropped: set[int] = set()
    is_changed = False
    for key in (key for tag, key in headers if tag == SCREEN):
        newer, older = pages[SCREEN, key], pages[HISTORY, key]
        order = [*reversed(older), *newer]
        counts = [PAGE_HEADER.unpack_from(records[place][1])[1] for place in order]
        excess = sum(counts) - rows - lines
        if excess <= lines:
            continue
        for place, count in zip(order, counts, strict=True):
            if excess >= count:
                dropped.add(place)
            elif excess > 0:
                records[place] = (PAGE, _without_rows(records[place][1], excess))
            excess -= count
        _patch(records, headers[SCREEN, key], "<HQ", len(set(newer) - dropped), lines)
        _patch(records, headers[HISTORY, key], "<I", len(set(older) - dropped))
        is_changed = True
    if not is_changed:
        return None
    out = [MAGIC]
    for place, (tag, data) in enumerate(records):
        if place not in dropped:
            start = struct.pack("<HI", tag, len(data))
            out.append(RECORD.pack(tag, len(data), _crc(start + data)) + data)
    return b"".join(out)


def _patch(records: list[tuple[int, bytes]], place: int, layout: str, *values: int) -> None:
    """Replace the counts that follow the key at the start of a header."""
    tag, data = records[place]
    changed = bytearray(data)
    struct.pack_into(layout, changed, 2, *values)
    records[place] = (tag, bytes(changed))


def _without_rows(data: bytes, count: int) -> bytes:
    """Return the page without its first `count` rows."""
    columns, rows, styles, links, *capacities = PAGE_HEADER.unpack_from(data)
    at = PAGE_HEADER.size + styles * (2 + STYLE_BYTES)
    for _ in range(links):
        _, at = read_link(data, at + 2)
    tables = data[PAGE_HEADER.size : at]
    kept_from = at
    for row in range(rows):
        if row == count:
            kept_from = at
        flags, cells = struct.unpack_from("<BH", data, at)
        at += 3 + (cells << (flags >> 4 & 3))
    kept = data[kept_from:at]
    (entries,) = struct.unpack_from("<I", data, at)
    at += 4
    graphemes = []
    for _ in range(entries):
        row, column, length = struct.unpack_from("<HHH", data, at)
        if row >= count:
            points = data[at + 6 : at + 6 + 4 * length]
            graphemes.append(struct.pack("<HHH", row - count, column, length) + points)
        at += 6 + 4 * length
    header = PAGE_HEADER.pack(columns, rows - count, styles, links, *capacities)
    end = struct.pack("<I", len(graphemes)) + b"".join(graphemes)
    return header + tables + kept + end


def _crc(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 255]
    return value ^ 0xFFFFFFFF
