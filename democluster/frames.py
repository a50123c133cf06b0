"""Frames of the `channel.k8s.io` family of subprotocols: a channel and its bytes."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from aiohttp import WSMsgType, web

from democluster.auth import BEARER_SUBPROTOCOL
from democluster.container import Container
from democluster.objects import JsonObject
from democluster.process import STDOUT, Process


class Channel(IntEnum):
    """The streams of one connection: the first byte of every frame."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


class Subprotocol(StrEnum):
    """What a client may ask for; an empty one is spoken with clients that ask for none."""

    V5 = "v5.channel.k8s.io"
    V4 = "v4.channel.k8s.io"
    V1 = "channel.k8s.io"
    V4_BASE64 = "v4.base64.channel.k8s.io"
    V1_BASE64 = "base64.channel.k8s.io"
    NONE = ""

    @property
    def is_base64(self) -> bool:
        """Whether frames are text: a digit and base64."""
        return self in (Subprotocol.V4_BASE64, Subprotocol.V1_BASE64)

    @property
    def has_status(self) -> bool:
        """Whether the last frame is a Status object; otherwise it is a sentence or missing."""
        return self in (Subprotocol.V5, Subprotocol.V4, Subprotocol.V4_BASE64)


@dataclass(frozen=True, slots=True)
class Options:
    """What a client wants to be connected to."""

    command: list[str]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


class ClientGone(Exception):
    """The connection ended before the process did."""


def choose_subprotocol(http: web.Request) -> Subprotocol | None:
    """Return what is spoken with a client, like a real server: v5 wins, else its first known."""
    offered = [
        item.strip()
        for item in ",".join(http.headers.getall("Sec-WebSocket-Protocol", [])).split(",")
        if item.strip() and not item.strip().startswith(BEARER_SUBPROTOCOL)
    ]
    if not offered:
        return Subprotocol.NONE
    if Subprotocol.V5 in offered:
        return Subprotocol.V5
    return next((Subprotocol(item) for item in offered if item in set(Subprotocol)), None)


class Connection:
    """Frames of one socket."""

    def __init__(
        self, socket: web.WebSocketResponse, subprotocol: Subprotocol, options: Options
    ) -> None:
        self._socket = socket
        self._subprotocol = subprotocol
        self.options = options

    async def greet(self) -> None:
        """Send the empty frame that says that the connection stands."""
        if self.options.stdout:
            await self.send(Channel.STDOUT, b"")
        elif self.options.stderr:
            await self.send(Channel.STDERR, b"")
        else:
            await self.send(Channel.ERROR, b"")

    async def send(self, channel: int, data: bytes) -> None:
        """Send a frame; wait while the client is slow. Raises ConnectionError."""
        if self._subprotocol.is_base64:
            await self._socket.send_str(str(channel) + base64.b64encode(data).decode())
        else:
            await self._socket.send_bytes(bytes((channel,)) + data)

    async def output(self, channel: int, data: bytes) -> None:
        """Send output, unless the client did not ask for that channel."""
        wanted = self.options.stdout if channel == STDOUT else self.options.stderr
        if wanted:
            await self.send(channel, data)

    async def feed(self, into: Process | Container) -> None:
        """Give what the client sends to a process. Ends only by raising ClientGone."""
        resizes = ""
        reads = True
        async for message in self._socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                break
            frame = self._decode(message.data)
            if frame is None:
                continue
            channel, data = frame
            if channel == Channel.CLOSE and self._subprotocol is Subprotocol.V5:
                if len(data) != 1 or data[0] > Channel.RESIZE:
                    break
                if data[0] == Channel.STDIN and isinstance(into, Process):
                    into.close_stdin()
            elif channel == Channel.STDIN and self.options.stdin and reads and data:
                try:
                    await into.write(data)
                except BrokenPipeError:
                    reads = False
            elif channel == Channel.RESIZE:
                resizes = _resize(into, resizes + data.decode(errors="replace"))
        raise ClientGone

    async def fail(self, message: str, *, doubled: bool = False) -> None:
        """Report that nothing was started."""
        told = f"Internal error occurred: {message}"
        cause = message
        if doubled and self._subprotocol is Subprotocol.V5:
            told, cause = f"Internal error occurred: {told}", told
        await self._finish(
            told,
            {
                "status": "Failure",
                "message": told,
                "reason": "InternalError",
                "details": {"causes": [{"message": cause}]},
                "code": 500,
            },
        )

    async def exit(self, code: int) -> None:
        """Report how the process ended."""
        if code == 0:
            await self.succeed()
            return
        how = f"command terminated with exit code {code}"
        if self._subprotocol is not Subprotocol.V5:
            argv = " ".join(self.options.command)
            how = f"error executing command [{argv}], exit code {code}"
        told = f"command terminated with non-zero exit code: {how}"
        await self._finish(
            told,
            {
                "status": "Failure",
                "message": told,
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
            },
        )

    async def succeed(self) -> None:
        """Report success, which the oldest subprotocols do by saying nothing."""
        await self._finish("", {"status": "Success"})

    async def _finish(self, sentence: str, status: JsonObject) -> None:
        if self._subprotocol.has_status:
            body = json.dumps({"metadata": {}} | status, separators=(",", ":"))
            await self.send(Channel.ERROR, body.encode())
        elif sentence:
            await self.send(Channel.ERROR, sentence.encode())

    def _decode(self, message: bytes | str) -> tuple[int, bytes] | None:
        raw = message.encode() if isinstance(message, str) else message
        if not raw:
            return None
        if not self._subprotocol.is_base64:
            return raw[0], raw[1:]
        try:
            return raw[0] - ord("0"), base64.b64decode(raw[1:])
        except binascii.Error:
            return None


def _resize(into: Process | Container, text: str) -> str:
    """Apply every whole size in `text` and return the rest."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        try:
            size, end = decoder.raw_decode(text)
            into.resize(*(min(max(int(size[key]), 0), 0xFFFF) for key in ("Width", "Height")))
        except (ValueError, TypeError, KeyError):
            return text if text.startswith("{") and "}" not in text else ""
        text = text[end:]
    return ""
