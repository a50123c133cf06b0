"""Kubernetes' exec and attach frames: `v5.channel.k8s.io` and `v4.channel.k8s.io`.

A frame is one binary WebSocket message: a channel byte, then bytes. A frame without bytes means
nothing (the server's first one says "connected"), and an empty message keeps a connection awake.
Sizes and Status objects travel as JSON. v5 differs in one thing: `ff 00` ends standard input.

The Status decides how a stream ended, never the WebSocket's close code. Messages of v4 servers
repeat the whole command line, so no message is passed on as it came.
Specified by k8s.io/apimachinery (remotecommand constants, wsstream) and KEP-4006.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import IntEnum

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.execution import (
    ExecResult,
    Exited,
    Lost,
    Output,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.size import Size

V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"

OFFERED = (V5, V4)
"""What a client offers. Only v5 would be refused by servers before 1.29 with an empty 403."""

KEEPALIVE = b""
"""The only message that resets every idle timer on the way; a ping does not (on v4)."""

FAILED_START_BYTES = 2048
"""A runtime that reports a failed start as output writes less than this, and nothing else."""

FAILED_START_SECONDS = 2.0
"""… and ends at once."""

_FAILED_START_CODES = frozenset({1, 126, 127, 255})  # CRI-O 1 and 255, docker 126 and 127
_SHOWN_CHARACTERS = 300
_RESIZE_PARSER = json.JSONDecoder()

_START = re.compile(
    r"exec failed|failed to exec|failed to start exec|unable to start container process"
    r"|starting container process|CreateProcess"
)
_MISSING = re.compile(
    r"executable file not found|no such file or directory|cannot find the file specified"
)
_NOT_EXECUTABLE = re.compile(r"permission denied")
_NOT_RUNNING = re.compile(r"container not found \(|container \S+ not found in pod")
_PROGRAM = re.compile(r'(?:exec: \\*"|stat )(/?[^"\\\s:]{1,80})')
_COMMAND_LINE = re.compile(r"\[.*\]", re.DOTALL)
_UPGRADE = "unable to upgrade connection"
_REPEATED = "Internal error occurred: "


class Channel(IntEnum):
    """The first byte of a frame."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


@dataclass(frozen=True, slots=True)
class Status:
    """The server's last word: a `v1.Status` without what nobody needs."""

    is_success: bool
    reason: str = ""
    message: str = ""
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Stdin:
    """Bytes for the process (what a server receives)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StdinClosed:
    """The client will send no more standard input (v5)."""


def stdin_frame(data: bytes) -> bytes:
    """Return the frame that carries `data` (1 byte to 32 MiB - 1) to the process."""
    if not data:
        raise LocalProtocolError("An stdin frame needs at least one byte.")
    return b"\x00" + data


def stdin_end_frame(subprotocol: str) -> bytes:
    """Return the frame that ends standard input. Raises LocalProtocolError on v4: it has none."""
    if subprotocol != V5:
        raise LocalProtocolError(f"{subprotocol} cannot end standard input.")
    return b"\xff\x00"


def resize_frame(size: Size) -> bytes:
    """Return the frame that tells the process's terminal its size."""
    return b'\x04{"Width":%d,"Height":%d}' % (size.cols, size.rows)


def output_frame(channel: Channel, data: bytes = b"") -> bytes:
    """Return a server's frame for output, or the empty one that says "connected"."""
    return bytes((channel,)) + data


def status_frame(status: Status) -> bytes:
    """Return a server's last frame."""
    if status.is_success:
        body: dict[str, object] = {"metadata": {}, "status": "Success"}
    else:
        body = {
            "metadata": {},
            "status": "Failure",
            "message": status.message,
            "reason": status.reason,
        }
        if status.exit_code is None:
            body["code"] = 500
        else:
            body["details"] = {"causes": [{"reason": "ExitCode", "message": str(status.exit_code)}]}
    return b"\x03" + json.dumps(body, separators=(",", ":")).encode()


def decode(frame: bytes) -> Output | Status | None:
    """Return what a server's frame says, or None for one that only keeps the stream awake.

    Raises RemoteProtocolError for a channel that a server never uses or a broken Status.
    """
    if len(frame) < 2:
        return None
    match frame[0]:
        case Channel.STDOUT:
            return Output(frame[1:])
        case Channel.STDERR:
            return Output(frame[1:], stderr=True)
        case Channel.ERROR:
            return parse_status(frame[1:])
        case channel:
            raise RemoteProtocolError(f"The cluster sent a frame on channel {channel}.")


def decode_client(frame: bytes, subprotocol: str) -> Stdin | StdinClosed | Size | None:
    """Return what a client's frame says (the server's half of `decode`).

    Several sizes may stand in one frame; the last one counts.
    """
    if len(frame) < 2:
        return None
    match frame[0]:
        case Channel.STDIN:
            return Stdin(frame[1:])
        case Channel.RESIZE:
            return _parse_size(frame[1:])
        case Channel.CLOSE:
            if subprotocol != V5:
                return None
            if frame == b"\xff\x00":
                return StdinClosed()
            raise RemoteProtocolError("A close frame has exactly two bytes: ff 00.")
        case channel:
            raise RemoteProtocolError(f"The client sent a frame on channel {channel}.")


def parse_status(payload: bytes) -> Status:
    """Return the Status on channel 3. Raises RemoteProtocolError when it is none."""
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise RemoteProtocolError("The cluster sent a Status that is not JSON.") from error
    if not isinstance(body, dict) or body.get("status") not in {"Success", "Failure"}:
        raise RemoteProtocolError("The cluster sent something else where a Status belongs.")
    reason, message = body.get("reason"), body.get("message")
    return Status(
        is_success=body["status"] == "Success",
        reason=reason if isinstance(reason, str) else "",
        message=message if isinstance(message, str) else "",
        exit_code=_exit_code(body.get("details")),
    )


def result_of(
    status: Status,
    subprotocol: str,
    *,
    is_attach: bool = False,
    output: bytes | None = None,
    seconds: float = FAILED_START_SECONDS,
) -> ExecResult:
    """Return what a Status means for the process.

    `output` is everything that the process wrote, or None when that was more than
    FAILED_START_BYTES; `seconds` is how long the stream was open. Both tell a runtime that
    reports a failed start as output from a process that ended by itself.
    Success is unconfirmed on v5, where a lost runtime looks the same, and for an attach,
    which says Success whatever the process returned.
    """
    if status.is_success:
        return Success(confirmed=subprotocol != V5 and not is_attach)
    if status.exit_code is not None:
        if (
            output
            and status.exit_code in _FAILED_START_CODES
            and seconds < FAILED_START_SECONDS
            and (failure := _failed_start(output.decode("utf-8", "replace"))) is not None
        ):
            return failure
        return Exited(status.exit_code)
    if _NOT_RUNNING.search(status.message):
        return StartFailed(StartFailure.CONTAINER_NOT_RUNNING, "The container is not running.")
    if (failure := _failed_start(status.message)) is not None:
        return failure
    shown = shown_message(status.message) or "the cluster gave no reason"
    if output is None or output:
        return Lost(f"The container runtime gave up: {shown}")
    return StartFailed(StartFailure.OTHER, f"The process could not be started: {shown}")


def is_upgrade_failure(status: Status) -> bool:
    """Tell whether a v5 stream failed between API server and node, so that v4 may still work."""
    return (
        not status.is_success
        and status.exit_code is None
        and _UPGRADE in status.message
        and not _NOT_RUNNING.search(status.message)
    )


def shown_message(message: str) -> str:
    """Return a server's message as it may be shown: without command lines, on one short line."""
    while message.startswith(_REPEATED):
        message = message.removeprefix(_REPEATED)
    message = " ".join(_COMMAND_LINE.sub("[…]", message).split())
    message = "".join(character for character in message if character.isprintable())
    if len(message) > _SHOWN_CHARACTERS:
        message = message[: _SHOWN_CHARACTERS - 1] + "…"
    return message


def _failed_start(text: str) -> StartFailed | None:
    if not _START.search(text):
        return None
    program = _PROGRAM.search(text)
    name = f'"{program[1]}"' if program and program[1].isprintable() else "that"
    if _MISSING.search(text):
        return StartFailed(StartFailure.NO_SHELL, f"The container has no program {name}.")
    if _NOT_EXECUTABLE.search(text):
        return StartFailed(
            StartFailure.NO_SHELL, f"The container does not let the program {name} be run."
        )
    return None


def _exit_code(details: object) -> int | None:
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else []:
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = cause.get("message")
            if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 11:
                return int(text)
    return None


def _parse_size(payload: bytes) -> Size:
    size: Size | None = None
    try:
        text = payload.decode().strip()
        while text:
            body, end = _RESIZE_PARSER.raw_decode(text)
            size = Size(int(body["Width"]), int(body["Height"]))
            text = text[end:].lstrip()
    except (ValueError, KeyError, TypeError) as error:
        raise RemoteProtocolError("A resize frame holds no size.") from error
    if size is None:
        raise RemoteProtocolError("A resize frame holds no size.")
    return size
