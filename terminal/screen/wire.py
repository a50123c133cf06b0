"""The frames between the server and the screen helper. Pure.

A frame is `u32 session, u8 kind, u32 length` (big-endian) and its payload. To the helper:

| kind | payload |
|---|---|
| OPEN | u64 offset, u32 resizes, u16 columns, u16 rows: a blank terminal at that place |
| RESTORE | u64 offset, u32 resizes, a compressed keyframe: a terminal in that state |
| FEED | output |
| TAIL | u32 count, what may be fed instead of `count` bytes of plain output |
| RESIZE | u16 columns, u16 rows |
| SNAPSHOT | u32 request, u16 lines of scrollback |
| KEYFRAME | nothing, or COMPACT: drop old lines and give memory back |
| CLOSE | nothing |

From the helper, which reports CONSUMED after OPEN, RESTORE and every turn:

| kind | payload |
|---|---|
| CONSUMED | u64 offset, u32 resizes, u8 plain: whether the terminal is known to be in its
  plain state there |
| SNAPSHOT | u32 request, u64 offset, u16 columns, u16 rows, u8 alternate, title and text (each
  after its u32 length), data |
| KEYFRAME | u64 offset, u32 resizes, the compressed keyframe |
| FAILED | u32 request, sentence: it could not be answered; request 0 is the keyframe |
| BROKEN | sentence: the helper gives up |

Answers come in the order of the requests of one session: SNAPSHOT shows the screen after all that
was fed before it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from protocol.size import Size
from terminal.screen.errors import BrokenFrame
from terminal.screen.limits import FRAME_BYTES

NO_REQUEST = 0
"""The request number of a keyframe in FAILED; snapshots count from 1."""

COMPACT = b"\x01"
"""Payload of KEYFRAME for a stream that has gone quiet."""

HEADER = struct.Struct("!IBI")
_SIZE = struct.Struct("!HH")
_POSITION = struct.Struct("!QI")
_CONSUMED = struct.Struct("!QIB")
_REQUEST = struct.Struct("!IH")
_REQUEST_NUMBER = struct.Struct("!I")
_SNAPSHOT = struct.Struct("!IQHHB")
_LENGTH = struct.Struct("!I")


class Kind(IntEnum):
    """What a frame is."""

    OPEN = 1
    RESTORE = 2
    FEED = 3
    RESIZE = 4
    SNAPSHOT = 5
    KEYFRAME = 6
    CLOSE = 7
    CONSUMED = 8
    FAILED = 9
    BROKEN = 10
    TAIL = 11


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a session's stream: bytes and resizes before it."""

    offset: int
    resizes: int


@dataclass(frozen=True, slots=True)
class Tail:
    """What may be fed instead of `stands_for` bytes of plain output (see `shortcut.py`)."""

    data: bytes
    stands_for: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The exact screen at one place of the stream.

    Written to a freshly reset terminal of `size`, `data` gives the screen that the first `offset`
    bytes give; the bytes from `offset` on follow it seamlessly.
    """

    offset: int
    size: Size
    data: bytes
    text: str
    """The visible text, lines without trailing blanks."""
    alternate: bool
    """Whether the alternate screen is shown."""
    title: str


def header(session: int, kind: Kind, length: int) -> bytes:
    """Return what comes before a payload of `length` bytes."""
    return HEADER.pack(session, kind, length)


def frame(session: int, kind: Kind, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return header(session, kind, len(payload)) + payload


def read_header(data: bytes | memoryview) -> tuple[int, Kind, int]:
    """Return session, kind and payload length. Raises BrokenFrame."""
    session, kind, length = HEADER.unpack(data)
    if length > FRAME_BYTES:
        raise BrokenFrame(f"{length} bytes")
    try:
        return session, Kind(kind), length
    except ValueError as error:
        raise BrokenFrame(f"kind {kind}") from error


def pack_size(size: Size) -> bytes:
    """Return the payload of RESIZE and the end of OPEN."""
    return _SIZE.pack(size.cols, size.rows)


def read_size(payload: bytes) -> Size:
    """Read the payload of RESIZE and the end of OPEN. Raises BrokenFrame."""
    return Size(*_unpack(_SIZE, payload))


def pack_position(position: Position, rest: bytes = b"") -> bytes:
    """Return the start of the payload of OPEN, RESTORE and KEYFRAME, and `rest` behind it."""
    return _POSITION.pack(position.offset, position.resizes) + rest


def read_position(payload: bytes) -> tuple[Position, bytes]:
    """Read OPEN, RESTORE and KEYFRAME. Raises BrokenFrame."""
    return Position(*_unpack(_POSITION, payload)), payload[_POSITION.size :]


def pack_consumed(position: Position, is_plain: bool) -> bytes:
    """Return the payload of CONSUMED."""
    return _CONSUMED.pack(position.offset, position.resizes, is_plain)


def read_consumed(payload: bytes) -> tuple[Position, bool]:
    """Read CONSUMED: the position, and whether the terminal is plain there. Raises BrokenFrame."""
    offset, resizes, is_plain = _unpack(_CONSUMED, payload)
    return Position(offset, resizes), bool(is_plain)


def pack_tail(tail: Tail) -> bytes:
    """Return the payload of TAIL."""
    return _LENGTH.pack(tail.stands_for) + tail.data


def read_tail(payload: bytes) -> Tail:
    """Read TAIL. Raises BrokenFrame."""
    (stands_for,) = _unpack(_LENGTH, payload)
    return Tail(payload[_LENGTH.size :], stands_for)


def pack_request(request: int, scrollback: int) -> bytes:
    """Return the payload of SNAPSHOT to the helper."""
    return _REQUEST.pack(request, scrollback)


def read_request(payload: bytes) -> tuple[int, int]:
    """Read SNAPSHOT in the helper: request and lines of scrollback. Raises BrokenFrame."""
    request, scrollback = _unpack(_REQUEST, payload)
    return request, scrollback


def pack_failed(request: int, sentence: str) -> bytes:
    """Return the payload of FAILED."""
    return _REQUEST_NUMBER.pack(request) + sentence.encode()


def read_failed(payload: bytes) -> tuple[int, str]:
    """Read FAILED: request and sentence. Raises BrokenFrame."""
    (request,) = _unpack(_REQUEST_NUMBER, payload)
    return request, payload[_REQUEST_NUMBER.size :].decode(errors="replace")


def pack_snapshot(request: int, snapshot: Snapshot) -> bytes:
    """Return the payload of SNAPSHOT from the helper."""
    title, text = snapshot.title.encode(), snapshot.text.encode()
    size = snapshot.size
    return b"".join(
        (
            _SNAPSHOT.pack(request, snapshot.offset, size.cols, size.rows, snapshot.alternate),
            _LENGTH.pack(len(title)),
            title,
            _LENGTH.pack(len(text)),
            text,
            snapshot.data,
        )
    )


def read_snapshot(payload: bytes) -> tuple[int, Snapshot]:
    """Read SNAPSHOT in the server: request and answer. Raises BrokenFrame."""
    request, offset, cols, rows, alternate = _unpack(_SNAPSHOT, payload)
    at = _SNAPSHOT.size
    parts: list[str] = []
    for _ in range(2):
        (length,) = _unpack(_LENGTH, payload[at : at + _LENGTH.size])
        at += _LENGTH.size
        parts.append(payload[at : at + length].decode(errors="replace"))
        at += length
    title, text = parts
    return request, Snapshot(
        offset=offset,
        size=Size(cols, rows),
        data=payload[at:],
        text=text,
        alternate=bool(alternate),
        title=title,
    )


def _unpack(layout: struct.Struct, payload: bytes) -> tuple[int, ...]:
    try:
        return layout.unpack_from(payload)
    except struct.error as error:
        raise BrokenFrame(str(error)) from error
