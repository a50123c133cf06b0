"""`hatchway.tty.v1`: frames between a browser and a session (docs/protocol.md).

`decode_text` and `decode_binary` read what a client may send; every server event has `encode`.
Both raise BadFrame for anything that the page does not allow.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError, RemoteProtocolError
from protocol.size import Size

SUBPROTOCOL = "hatchway.tty.v1"

INPUT, OUTPUT, SCREEN = 0x00, 0x01, 0x02
MAX_PAYLOAD = 64 * 1024
"""Bytes of input or output in one frame."""
MAX_TEXT = 4 * 1024
"""Characters of a control message from a client: the largest real one has 150."""

_HEADER = struct.Struct(">BQ")
_CLIENT = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MAX_OFFSET = 2**53 - 1
"""Offsets are JSON numbers that a browser can hold exactly."""


class BadFrame(PeerVisibleError, RemoteProtocolError):
    """A client sent a frame that docs/protocol.md does not allow."""

    code = "bad_frame"
    close_code = CloseCode.BAD_FRAME


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: who this view is, its size, and the next output byte it needs."""

    client: str
    size: Size
    offset: int | None


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything before `offset` was rendered."""

    offset: int


@dataclass(frozen=True, slots=True)
class Resize:
    """The view's size changed."""

    size: Size


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life, answered with the same number."""

    t: float


@dataclass(frozen=True, slots=True)
class Take:
    """A viewer wants to own the session again."""


@dataclass(frozen=True, slots=True)
class EnableInput:
    """Input shall reach the main process of an attached container."""


@dataclass(frozen=True, slots=True)
class End:
    """The owner ends the session."""


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes that the person typed; `offset` counts this client's input."""

    offset: int
    data: bytes


ClientEvent = Hello | Ack | Resize | Ping | Take | EnableInput | End | Input


def decode_binary(frame: bytes) -> Input:
    """Return the input in a binary frame. Raises BadFrame."""
    if len(frame) <= _HEADER.size or frame[0] != INPUT:
        raise BadFrame("A binary frame from a client is 00, an offset and input.")
    if len(frame) - _HEADER.size > MAX_PAYLOAD:
        raise BadFrame("An input frame carries at most 65536 bytes.", limit=MAX_PAYLOAD)
    _, offset = _HEADER.unpack_from(frame)
    if offset > _MAX_OFFSET:
        raise BadFrame("An offset is at most 2^53 - 1.")
    return Input(offset, frame[_HEADER.size :])


def decode_text(text: str) -> ClientEvent:
    """Return the event in a text frame. Raises BadFrame."""
    if len(text) > MAX_TEXT:
        raise BadFrame("A control message has at most 4096 characters.", limit=MAX_TEXT)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("A text frame is one JSON object.") from None
    if not isinstance(message, dict):
        raise BadFrame("A text frame is one JSON object.")
    match message.get("type"):
        case "hello":
            client = message.get("client")
            if not isinstance(client, str) or not _CLIENT.fullmatch(client):
                raise BadFrame("`client` is 8 to 64 characters of A-Z a-z 0-9 _ -.")
            offset = message.get("offset")
            return Hello(
                client, _size(message), None if offset is None else _offset(offset, "offset")
            )
        case "ack":
            return Ack(_offset(message.get("offset"), "offset"))
        case "resize":
            return Resize(_size(message))
        case "ping":
            t = message.get("t")
            if isinstance(t, bool) or not isinstance(t, int | float) or not _is_finite(t):
                raise BadFrame("`t` is a number.")
            return Ping(t)
        case "take":
            return Take()
        case "enable_input":
            return EnableInput()
        case "end":
            return End()
        case _:
            raise BadFrame("The type of a control message is unknown.")


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        # A whole number of hundreds of digits: a browser would read it as Infinity.
        return False


def _offset(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_OFFSET:
        raise BadFrame(f"`{name}` is a whole number from 0 to 2^53 - 1.")
    return value


def _size(message: Mapping[str, Any]) -> Size:
    cols, rows = message.get("cols"), message.get("rows")
    for value in (cols, rows):
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadFrame("`cols` and `rows` are whole numbers.")
    assert isinstance(cols, int)
    assert isinstance(rows, int)
    size = Size(cols, rows)
    if size.clamped() != size:
        raise BadFrame("A terminal has 2 to 500 columns and 2 to 300 rows.", cols=cols, rows=rows)
    return size


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """Output bytes; `offset` is that of the first one."""

    offset: int
    data: bytes

    def encode(self) -> bytes:
        """Return the binary frame."""
        return _HEADER.pack(OUTPUT, self.offset) + self.data


@dataclass(frozen=True, slots=True)
class ScreenFrame:
    """Escape sequences that draw the screen as it was after `offset` bytes."""

    offset: int
    data: bytes

    def encode(self) -> bytes:
        """Return the binary frame."""
        return _HEADER.pack(SCREEN, self.offset) + self.data


class _Control:
    __slots__ = ()
    TYPE: ClassVar[str]

    def encode(self) -> str:
        """Return the text frame."""
        body = {"type": self.TYPE, **asdict(self)}  # type: ignore[call-overload]
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


Role = Literal["owner", "viewer"]


@dataclass(frozen=True, slots=True)
class Welcome(_Control):
    """The answer to Hello: where input and output go on."""

    TYPE = "welcome"
    session: str
    role: Role
    epoch: int
    input: int
    offset: int
    live: int
    cols: int
    rows: int
    state: str
    kind: str
    input_enabled: bool
    command: str


@dataclass(frozen=True, slots=True)
class InputDelivered(_Control):
    """Input before `input` has reached the container."""

    TYPE = "input"
    input: int


@dataclass(frozen=True, slots=True)
class Resync(_Control):
    """The next binary frame is a screen for `offset`; `skipped` bytes are not shown."""

    TYPE = "resync"
    reason: str
    skipped: int
    offset: int
    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class StateChanged(_Control):
    """The session is `starting`, `live` or `ended`."""

    TYPE = "state"
    state: str


@dataclass(frozen=True, slots=True)
class CommandKnown(_Control):
    """Which shell `auto` became."""

    TYPE = "command"
    command: str


@dataclass(frozen=True, slots=True)
class SizeChanged(_Control):
    """From `offset` on the session's terminal has this size."""

    TYPE = "size"
    offset: int
    cols: int
    rows: int


@dataclass(frozen=True, slots=True)
class RoleChanged(_Control):
    """This view became owner (`taken`) or viewer (`replaced`)."""

    TYPE = "role"
    role: Role
    epoch: int
    reason: str
    input: int


@dataclass(frozen=True, slots=True)
class InputEnabled(_Control):
    """Input reaches the main process from now on."""

    TYPE = "input_enabled"


@dataclass(frozen=True, slots=True)
class People(_Control):
    """How many viewers there are."""

    TYPE = "people"
    viewers: int


@dataclass(frozen=True, slots=True)
class Pong(_Control):
    """The answer to Ping."""

    TYPE = "pong"
    t: float


@dataclass(frozen=True, slots=True)
class Notice(_Control):
    """Something to show that is not an error."""

    TYPE = "notice"
    code: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Error(_Control):
    """What went wrong, in one sentence."""

    TYPE = "error"
    code: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended(_Control):
    """The session is over."""

    TYPE = "ended"
    reason: str
    exit_code: int | None
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


ServerEvent = (
    OutputFrame
    | ScreenFrame
    | Welcome
    | InputDelivered
    | Resync
    | StateChanged
    | CommandKnown
    | SizeChanged
    | RoleChanged
    | InputEnabled
    | People
    | Pong
    | Notice
    | Error
    | Ended
)
