"""Exec and attach: a process in a container as a stream of output.

One reader task takes the frames from the socket, one writer task gives frames to it; neither ever
waits for the other, because a process that does not read its input may still have much to say.
The reader stops at READ_AHEAD bytes that nobody has received; TCP then slows the process down.

The writer is the only one that sends. It prefers the newest size to waiting input, and after
KEEPALIVE_SECONDS without a frame in either direction sends an empty message, the one thing that
resets every idle timer on the way. After the server's last word nothing is sent: that would make
the kernel throw away what has not been read yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp

from kube.clusters import Clusters
from kube.connection import ClusterConnection, api_path
from kube.errors import KubeError, refused
from kube.gather import GATHER_BYTES, GATHER_SECONDS, Flood
from kube.pods import pod_facts
from kube.tcp import close_socket, cut, gathering, is_silent
from protocol.errors import RemoteProtocolError
from protocol.execution import (
    ExecRequest,
    ExecResult,
    Lost,
    Output,
    PodFacts,
    Refusal,
    Refused,
)
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.remotecommand import (
    FAILED_START_BYTES,
    KEEPALIVE,
    OFFERED,
    V4,
    V5,
    Status,
    decode,
    is_upgrade_failure,
    resize_frame,
    result_of,
    stdin_end_frame,
    stdin_frame,
)
from protocol.size import Size
from protocol.target import Target

logger = logging.getLogger(__name__)

READ_AHEAD = 64 * 1024
"""Bytes of output that wait for `receive`, and the most that one Output carries."""

STDIN_FRAME = 32 * 1024
"""Bytes of input in one frame: what the servers copy at once."""

KEEPALIVE_SECONDS = 25.0
"""Below every known idle limit: Azure's load balancer has 240 s, AWS' and nginx 60 s."""

LINGER_SECONDS = 1.0
"""After its last word the server closes at once; output behind that word is still taken."""

_STDOUT, _STDERR = 1, 2


class KubeExecStream:
    """One exec or attach stream (the session core's port ExecStream)."""

    def __init__(
        self,
        connection: ClusterConnection,
        request: ExecRequest,
        *,
        keepalive: float,
        gathers: bool,
    ) -> None:
        self._connection = connection
        self._request = request
        self._keepalive = keepalive
        self._gathers = gathers
        self._socket: aiohttp.ClientWebSocketResponse
        self._subprotocol = ""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()
        self._result: ExecResult | None = None
        # Reading: whole frames of stdout and stderr, in the order in which they came.
        self._frames: deque[bytes] = deque()
        self._buffered = 0
        self._arrived: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._has_output = False
        self._head: bytearray | None = bytearray()
        self._is_over = False
        self._flood = Flood()
        # Writing.
        self._active = self._opened
        self._looked = self._opened  # when the kernel was last asked for the peer
        self._wake = asyncio.Event()
        self._may_write = True
        self._broken: aiohttp.ClientWebSocketResponse | None = None
        self._size = request.size  # the one to be sent
        self._last_size = request.size
        self._stdin: bytes | None = None
        self._stdin_taken: asyncio.Future[None] | None = None
        self._stdin_turn = asyncio.Lock()
        self._stdin_sent = False
        self._stdin_ends = False

    @property
    def subprotocol(self) -> str:
        """The negotiated name, such as `v5.channel.k8s.io`."""
        return self._subprotocol

    async def receive(self) -> Output | None:
        """Return what has arrived, up to 64 KiB of one kind, or None when the stream has ended.

        In a flood up to 64 KiB are given 4 ms to gather (see `kube.gather`). Cancelling loses
        nothing. Only one task may receive.
        """
        frames = self._frames
        while not frames:
            if self._is_over:
                return None
            self._arrived = self._loop.create_future()
            try:
                if self._gathers and self._flood.goes_on(self._loop.time()):
                    with gathering(self._socket, GATHER_BYTES, GATHER_SECONDS):
                        await self._arrived
                else:
                    await self._arrived
            finally:
                self._arrived = None
        frame = frames.popleft()
        channel = frame[0]
        size = len(frame) - 1
        if frames and frames[0][0] == channel and size + len(frames[0]) <= READ_AHEAD + 1:
            pieces = [memoryview(frame)[1:]]
            while frames and frames[0][0] == channel and size + len(frames[0]) <= READ_AHEAD + 1:
                frame = frames.popleft()
                pieces.append(memoryview(frame)[1:])
                size += len(frame) - 1
            data = b"".join(pieces)
        else:
            data = frame[1:]
        self._buffered -= size
        self._flood.saw(size, self._loop.time())
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        return Output(data, channel == _STDERR)

    async def send_stdin(self, data: bytes) -> None:
        """Deliver bytes to the process; return when the connection has taken them.

        A stream that has ended drops them. Several tasks may send; each one's bytes stay
        together.
        """
        async with self._stdin_turn:
            for start in range(0, len(data), STDIN_FRAME):
                if not self._may_write:
                    return
                self._stdin = data[start : start + STDIN_FRAME]
                self._stdin_taken = self._loop.create_future()
                self._wake.set()
                await self._stdin_taken

    async def close_stdin(self) -> None:
        """End standard input behind what was sent. Only a v5 server can: see LocalProtocolError."""
        stdin_end_frame(self._subprotocol)
        async with self._stdin_turn:
            self._stdin_ends = True
            self._wake.set()

    async def resize(self, size: Size) -> None:
        """Tell the process's terminal its size; the newest one wins while others still wait."""
        self._size = self._last_size = size
        self._wake.set()

    def result(self) -> ExecResult:
        """Return how the stream ended. Only after `receive` returned None."""
        if self._result is None:
            raise RuntimeError("The stream has not ended yet.")
        return self._result

    async def connect(self, subprotocols: Sequence[str]) -> None:
        """Open the socket. Raises StreamRefused."""
        request = self._request
        what = "attach" if request.command is None else "exec"
        try:
            opened = await self._connection.open_socket(
                api_path(
                    *("api", "v1", "namespaces", request.target.namespace),
                    *("pods", request.target.pod, what),
                ),
                identity=request.identity,
                query=_query(request),
                subprotocols=subprotocols,
            )
        except KubeError as error:
            raise refused(error, subresource=what) from error
        if opened.protocol is None:
            await close_socket(opened)
            raise StreamRefused(
                Refused(Refusal.SUBPROTOCOL, "The cluster chose none of the exec protocols.", 101)
            )
        self._socket = opened
        self._subprotocol = opened.protocol

    async def read(self) -> None:
        """Take frames from the socket until the stream ends (the reader task)."""
        try:
            self._result = await self._read_to_the_end()
        except RemoteProtocolError as error:
            self._result = Lost(str(error))
        except StreamRefused as error:
            self._result = error.refused
        except (aiohttp.ClientError, OSError) as error:
            self._result = Lost(f"The connection to the cluster broke ({type(error).__name__}).")
        except Exception:
            logger.exception("reading a stream of %s failed", self._request.target)
            self._result = Lost("Hatchway failed while it read the stream.")
        finally:
            self._end()

    async def write(self) -> None:
        """Give frames to the socket until the stream ends (the writer task).

        A socket that cannot be written is left to the reader, which sees the same and either
        ends the stream or replaces the socket.
        """
        while self._may_write:
            try:
                await self._write_pending()
                self._wake.clear()
                if self._has_pending() or not self._may_write:
                    continue
                quiet = self._loop.time() - self._active
                try:
                    async with asyncio.timeout(max(0.0, self._keepalive - quiet)):
                        await self._wake.wait()
                except TimeoutError:
                    await self._keep_awake()
            except (aiohttp.ClientError, OSError) as error:
                logger.debug("a stream of %s cannot be written: %s", self._request.target, error)
                self._broken = self._socket

    async def aclose(self) -> None:
        """Close the connection within two seconds."""
        self._end()
        if self._result is None:
            self._result = Lost("Hatchway closed the stream.")
        await close_socket(self._socket)

    async def _read_to_the_end(self) -> ExecResult:
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                frame: bytes = message.data
                if len(frame) > 1:
                    if frame[0] == _STDOUT or frame[0] == _STDERR:
                        self._take(frame)
                        if self._buffered >= READ_AHEAD:
                            await self._wait_for_room()
                        continue
                    status = decode(frame)
                    if isinstance(status, Status):
                        if await self._falls_back(status):
                            continue
                        return await self._finish(status)
                continue
            return self._closed(message)

    def _take(self, frame: bytes) -> None:
        if len(frame) > READ_AHEAD + 1:
            channel = frame[:1]
            for start in range(1, len(frame), READ_AHEAD):
                self._frames.append(channel + frame[start : start + READ_AHEAD])
        else:
            self._frames.append(frame)
        self._buffered += len(frame) - 1
        self._active = self._loop.time()
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        self._has_output = True
        if self._head is not None:
            self._head += frame[1 : FAILED_START_BYTES + 2]
            if len(self._head) > FAILED_START_BYTES:
                self._head = None

    async def _wait_for_room(self) -> None:
        while self._buffered >= READ_AHEAD:
            self._room = self._loop.create_future()
            try:
                await self._room
            finally:
                self._room = None

    async def _finish(self, status: Status) -> ExecResult:
        seconds = self._loop.time() - self._opened
        self._stop_writing()
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self._take_the_rest()
        except TimeoutError:
            logger.debug("the server of %s does not close after its Status", self._request.target)
        return result_of(
            status,
            self._subprotocol,
            is_attach=self._request.command is None,
            output=None if self._head is None else bytes(self._head),
            seconds=seconds,
        )

    async def _take_the_rest(self) -> None:
        while (message := await self._socket.receive()).type is aiohttp.WSMsgType.BINARY:
            frame: bytes = message.data
            if len(frame) > 1 and frame[0] in (_STDOUT, _STDERR):
                self._take(frame)
                await self._wait_for_room()

    async def _falls_back(self, status: Status) -> bool:
        """Try v4 once where a node cannot upgrade to v5 (1.36 with cri-dockerd)."""
        may_retry = self._subprotocol == V5 and not self._has_output and not self._stdin_sent
        if not may_retry or not is_upgrade_failure(status):
            return False
        logger.info("%s: v5 failed before the node was reached, trying v4", self._request.target)
        self._broken = self._socket
        await close_socket(self._socket)
        await self.connect((V4,))
        self._size = self._last_size
        self._wake.set()
        return True

    def _closed(self, message: aiohttp.WSMessage) -> ExecResult:
        if message.type is aiohttp.WSMsgType.TEXT:
            return Lost("The cluster broke the exec protocol with a text message.")
        if message.type is aiohttp.WSMsgType.ERROR:
            return Lost("The cluster broke the WebSocket protocol.")
        if message.type is aiohttp.WSMsgType.CLOSE:
            return Lost("The cluster closed the stream without saying how the process ended.")
        return Lost("The connection to the cluster was lost.")

    def _end(self) -> None:
        self._is_over = True
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        self._stop_writing()

    def _stop_writing(self) -> None:
        self._may_write = False
        self._wake.set()
        self._drop_stdin()

    def _drop_stdin(self) -> None:
        self._stdin = None
        if self._stdin_taken is not None and not self._stdin_taken.done():
            self._stdin_taken.set_result(None)

    def _has_pending(self) -> bool:
        has_some = self._size is not None or self._stdin is not None or self._stdin_ends
        return has_some and self._broken is not self._socket

    async def _write_pending(self) -> None:
        while self._has_pending() and self._may_write:
            if (size := self._size) is not None:
                self._size = None
                await self._send(resize_frame(size))
            elif (data := self._stdin) is not None:
                self._stdin_sent = True
                await self._send(stdin_frame(data))
                self._drop_stdin()
            else:
                self._stdin_ends = False
                await self._send(stdin_end_frame(self._subprotocol))

    async def _send(self, frame: bytes) -> None:
        now = self._loop.time()
        if now - self._looked >= self._keepalive:
            self._looked = now
            if is_silent(self._socket):
                logger.info("%s: the API server vanished", self._request.target)
                cut(self._socket)
                self._broken = self._socket
                return
        await self._socket.send_bytes(frame)
        self._active = self._loop.time()

    async def _keep_awake(self) -> None:
        if self._loop.time() - self._active < self._keepalive:
            return
        if self._may_write and not self._frames and self._broken is not self._socket:
            await self._send(KEEPALIVE)
        else:
            self._active = self._loop.time()


class KubeExecBackend:
    """Opens exec and attach streams (the session core's port ExecBackend)."""

    def __init__(
        self, clusters: Clusters, *, keepalive: float = KEEPALIVE_SECONDS, gathers: bool = True
    ) -> None:
        """Use these clusters. `gathers`: whether a flood of small pieces is received in handfuls,
        which spares a server with many readers; one that reads alone is faster without."""
        self._clusters = clusters
        self._keepalive = keepalive
        self._gathers = gathers

    def open(self, request: ExecRequest) -> AbstractAsyncContextManager[KubeExecStream]:
        """Open the stream; leaving the context closes the connection within two seconds.

        Entering raises StreamRefused when the cluster does not open it. A process that cannot
        be started is no refusal: the stream then ends with StartFailed.
        """
        return self._open(request)

    async def inspect(self, target: Target, identity: Identity) -> PodFacts:
        """Read the pod behind the target as `identity`. Raises StreamRefused."""
        connection = self._clusters.connection(target.cluster)
        try:
            pod = await connection.call(
                "GET",
                api_path("api", "v1", "namespaces", target.namespace, "pods", target.pod),
                identity=identity,
            )
        except KubeError as error:
            raise refused(error) from error
        return pod_facts(pod, target.container)

    async def run(
        self,
        request: ExecRequest,
        *,
        stdin: bytes | None = None,
        seconds: float = 15.0,
        max_output: int = 256 * 1024,
    ) -> tuple[bytes, ExecResult]:
        """Run a short command to its end and return its stdout (at most `max_output` bytes).

        Raises StreamRefused. A command that takes too long or says too much is Lost.
        """
        output = bytearray()
        async with self.open(request) as stream:
            try:
                async with asyncio.timeout(seconds):
                    if stdin:
                        await stream.send_stdin(stdin)
                    while (piece := await stream.receive()) is not None:
                        if not piece.stderr:
                            output += piece.data
                        if len(output) > max_output:
                            return bytes(output[:max_output]), Lost("The command said too much.")
            except TimeoutError:
                return bytes(output), Lost(f"The command took longer than {seconds:g} seconds.")
            return bytes(output), stream.result()

    @asynccontextmanager
    async def _open(self, request: ExecRequest) -> AsyncIterator[KubeExecStream]:
        connection = self._clusters.connection(request.target.cluster)
        stream = KubeExecStream(
            connection, request, keepalive=self._keepalive, gathers=self._gathers
        )
        await stream.connect(OFFERED)
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(stream.read()), tasks.create_task(stream.write())]
            try:
                yield stream
            except BaseException as error:
                # Raised again below: a task group would wrap it into an ExceptionGroup.
                failure = error
            finally:
                for task in running:
                    task.cancel()
        await stream.aclose()
        if failure is not None:
            raise failure


def _query(request: ExecRequest) -> list[tuple[str, str]]:
    query = [("container", request.target.container)]
    query += [("command", word) for word in request.command or ()]
    query += [("stdin", "true")] if request.stdin else []
    query += [("stdout", "true")]
    # With a terminal there is no stderr, and the runtime refuses both together.
    query += [("tty", "true")] if request.tty else [("stderr", "true")]
    return query
