"""Exec and attach over WebSockets: the `channel.k8s.io` family of subprotocols."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from aiohttp import WSMsgType, web

from democluster.auth import BEARER_SUBPROTOCOL
from democluster.container import Container
from democluster.images import CommandNotStarted
from democluster.kubelet import Kubelet
from democluster.objects import JsonObject
from democluster.process import STDOUT, Process
from democluster.rbac import authorize, forbidden_without_reason
from democluster.requests import ApiRequest
from democluster.status import bad_request, method_not_allowed
from democluster.store import Store
from democluster.target import PodContainer, find_target

MAX_FRAME_BYTES = 32 * 1024 * 1024
"""The longest frame from a client, like in a real API server. Longer ones end the connection."""

CLOSE_SECONDS = 1.0
"""How long the client's answer to our closing handshake is waited for."""


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


class StreamServer:
    """Serves exec and attach. `leftovers` owns what outlives its client."""

    def __init__(
        self, store: Store, kubelets: Mapping[str, Kubelet], leftovers: asyncio.TaskGroup
    ) -> None:
        self._store = store
        self._kubelets = kubelets
        self._leftovers = leftovers

    async def handle(self, request: ApiRequest) -> web.StreamResponse:
        """Answer `…/exec` or `…/attach`. Raises ApiError."""
        if request.verb not in ("get", "create"):
            raise method_not_allowed()
        wanted = request.attributes
        if request.verb == "get":
            create = type(wanted)(
                "create",
                wanted.group,
                wanted.resource,
                wanted.subresource,
                wanted.namespace,
                wanted.name,
            )
            if not authorize(self._store, request.user, create).allowed:
                raise forbidden_without_reason(request.resource, request.name)
        target = find_target(self._store, request)
        if not target.node:
            raise bad_request(f"pod {request.name} does not have a host assigned")
        if request.http.headers.get("Upgrade", "").lower() != "websocket":
            raise bad_request("Upgrade request required")
        chosen = _choose(request.http)
        if chosen is None:
            return web.Response(status=403)
        return await self._serve(request, target, chosen, _options(request))

    async def _serve(
        self,
        request: ApiRequest,
        target: PodContainer,
        subprotocol: Subprotocol,
        options: Options,
    ) -> web.StreamResponse:
        container = self._kubelets[target.node].running(target.uid, target.name)
        refusal: tuple[int, str] | None = None
        if not (options.stdin or options.stdout or options.stderr):
            refusal = (400, "you must specify at least 1 of stdin, stdout, stderr")
        elif container is None and request.subresource == "exec":
            refusal = (500, f'container not found ("{target.name}")')
        elif container is None:
            pod = f"{request.name}_{request.namespace}"
            refusal = (500, f"container {target.name} not found in pod {pod}")
        if refusal and subprotocol is not Subprotocol.V5:
            # Only v5 is spoken by the API server itself; the others end at the node, whose
            # refusal comes instead of the upgrade.
            return web.Response(status=refusal[0], text=refusal[1])
        socket = web.WebSocketResponse(
            protocols=(subprotocol,) if subprotocol else (),
            max_msg_size=MAX_FRAME_BYTES,
            timeout=CLOSE_SECONDS,
            compress=False,
        )
        await socket.prepare(request.http)
        connection = _Connection(socket, subprotocol, options)
        with contextlib.suppress(ConnectionError):
            await connection.greet()
            if refusal:
                await connection.fail(f"unable to upgrade connection: {refusal[1]}")
            elif container is not None and request.subresource == "exec":
                await self._exec(connection, container)
            elif container is not None:
                await _attach(connection, container)
            await socket.close()
        return socket

    async def _exec(self, connection: _Connection, container: Container) -> None:
        options = connection.options
        try:
            process = container.start_process(options.command, tty=options.tty, stdin=options.stdin)
        except (CommandNotStarted, OSError) as error:
            await connection.fail(_exec_failure(error), doubled=True)
            return
        code: int | None = None
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(connection.feed(process))
                async with asyncio.TaskGroup() as pumps:
                    for channel in process.outputs:
                        pumps.create_task(_pump(process, channel, connection))
                code = await process.wait()
                reader.cancel()
        except* (ClientGone, ConnectionError):
            pass
        finally:
            # Like on a real node the process stays when its client goes; only its input ends.
            process.close_stdin()
            self._leftovers.create_task(_close_after_exit(process))
        if code is not None:
            await connection.exit(code)


class _Connection:
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


async def _attach(connection: _Connection, container: Container) -> None:
    ended = asyncio.Event()

    async def take(channel: int, data: bytes) -> None:
        if not data:
            ended.set()
            return
        try:
            await connection.output(channel, data)
        except ConnectionError:
            detach()

    detach = container.attach(take)
    try:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(connection.feed(container))
            await ended.wait()
            reader.cancel()
    except* (ClientGone, ConnectionError):
        pass
    finally:
        detach()
    if ended.is_set():
        # However the main process ended, an attach that saw its end was a success.
        await connection.succeed()


async def _pump(process: Process, channel: int, connection: _Connection) -> None:
    while data := await process.read(channel):
        await connection.output(channel, data)


async def _close_after_exit(process: Process) -> None:
    try:
        await process.wait()
    finally:
        process.close()


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


def _choose(http: web.Request) -> Subprotocol | None:
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


def _options(request: ApiRequest) -> Options:
    tty = request.flag("tty")
    return Options(
        command=request.http.query.getall("command", []),
        stdin=request.flag("stdin"),
        stdout=request.flag("stdout"),
        stderr=request.flag("stderr") and not tty,
        tty=tty,
    )


def _exec_failure(error: Exception) -> str:
    return (
        "error executing command in container: failed to exec in container: failed to start exec "
        f'"{secrets.token_hex(32)}": OCI runtime exec failed: {error}: unknown'
    )
