"""A bare client of the Kubernetes API: raw HTTP and WebSockets hide no difference."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import yaml

from kube.tcp import Sockets

V5, V4, V1 = "v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"
V4_BASE64, V1_BASE64 = "v4.base64.channel.k8s.io", "base64.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
ANSWER_SECONDS = 20.0
"""How long anything may take on a busy machine before a test fails."""

Headers = Iterable[tuple[str, str]]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Where a cluster is and with which token to go there."""

    server: str
    token: str
    tls: ssl.SSLContext

    @classmethod
    def of(cls, kubeconfig: Path) -> Access:
        """Read the current context of a kubeconfig that has a token."""
        config = yaml.safe_load(kubeconfig.read_text())
        by_name = {
            kind: {item["name"]: item for item in config[kind]}
            for kind in ("contexts", "clusters", "users")
        }
        context = by_name["contexts"][config["current-context"]]["context"]
        cluster = by_name["clusters"][context["cluster"]]["cluster"]
        user = by_name["users"][context["user"]]["user"]
        if "certificate-authority-data" in cluster:
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        else:
            authority = Path(cluster["certificate-authority"]).read_text()
        tls = ssl.create_default_context(cadata=authority)
        if "client-certificate" in user:
            tls.load_cert_chain(user["client-certificate"], user["client-key"])
        return cls(cluster["server"], user.get("token", ""), tls)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API server."""

    status: int
    content_type: str
    text: str

    @property
    def json(self) -> Json:
        """The body as JSON."""
        body: Json = json.loads(self.text)
        return body

    @property
    def message(self) -> str:
        """The sentence of a Status."""
        return str(self.json["message"])


class HandshakeRefused(Exception):
    """A WebSocket was not opened."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.text}")
        self.reply = reply


@dataclass(slots=True)
class Outcome:
    """Everything that a stream brought until it ended."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)
    close_code: int | None = None
    """1000 or 1006: see kubernetes-streaming; None if the server did not end it."""

    @property
    def status(self) -> Json:
        """The Status object of the last frame."""
        body: Json = json.loads(self.of(ERROR))
        return body

    @property
    def exit_code(self) -> int:
        """What the Status says about the process."""
        if self.status["status"] == "Success":
            return 0
        causes = self.status["details"]["causes"]
        return next(int(item["message"]) for item in causes if item.get("reason") == "ExitCode")

    def of(self, channel: int) -> bytes:
        """Return the bytes of one channel."""
        return b"".join(data for number, data in self.frames if number == channel)


class Stream:
    """One exec or attach."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, subprotocol: str) -> None:
        self._socket = socket
        self.subprotocol = subprotocol
        self.outcome = Outcome()

    async def send(self, channel: int, data: bytes) -> None:
        """Send a frame of a channel."""
        if "base64" in self.subprotocol:
            await self._socket.send_str(f"{channel}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send_bytes(bytes((channel,)) + data)

    async def send_raw(self, frame: bytes) -> None:
        """Send a frame as it is."""
        await self._socket.send_bytes(frame)

    async def resize(self, cols: int, rows: int) -> None:
        """Tell the size of the terminal."""
        await self.send(RESIZE, json.dumps({"Width": cols, "Height": rows}).encode())

    async def until(self, done: Callable[[Outcome], bool]) -> Outcome:
        """Read until `done` says so; fail if the stream ends or nothing comes for long."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while not done(self.outcome):
                assert await self._read(), f"the stream ended: {self.outcome}"
        return self.outcome

    async def answers(self, line: bytes, text: bytes) -> Outcome:
        """Type a line, again every few seconds, until that text was written to standard output.

        A real node passes input on to a running process before it listens to its output: what
        the process says at once to whoever has just attached may be lost.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            while text not in self.outcome.of(STDOUT):
                await self.send(STDIN, line)
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS / 8):
                        await self.until_output(text)
        return self.outcome

    async def until_output(self, text: bytes) -> Outcome:
        """Read until that text was written to standard output."""
        return await self.until(lambda outcome: text in outcome.of(STDOUT))

    async def until_end(self) -> Outcome:
        """Read until the server ends the stream."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while await self._read():
                pass
        return self.outcome

    async def _read(self) -> bool:
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                self.outcome.frames.append((message.data[0], message.data[1:]))
            case aiohttp.WSMsgType.TEXT:
                data = base64.b64decode(message.data[1:])
                self.outcome.frames.append((int(message.data[0]), data))
            case _:
                self.outcome.close_code = self._socket.close_code
                return False
        return True


class Api:
    """The API of one cluster as one user."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._sockets = Sockets()
        self._session = aiohttp.ClientSession(
            connector=self._connector(), timeout=aiohttp.ClientTimeout(total=60)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()
        await self._sockets.aclose()

    async def call(
        self,
        method: str,
        path: str,
        body: Json | str | None = None,
        *,
        headers: Headers = (),
        content_type: str = "application/json",
    ) -> Reply:
        """Make a request and return the answer, whatever its status."""
        sent = [*self._authorization(headers), *headers]
        data = None
        if body is not None:
            data = body if isinstance(body, str) else json.dumps(body)
            sent.append(("Content-Type", content_type))
        async with self._session.request(
            method, self._access.server + path, data=data, headers=sent
        ) as response:
            return Reply(response.status, response.content_type, await response.text())

    async def get(self, path: str, *, headers: Headers = ()) -> Reply:
        """Get a path."""
        return await self.call("GET", path, headers=headers)

    @asynccontextmanager
    async def lines(self, path: str) -> AsyncIterator[aiohttp.StreamReader]:
        """Open a long answer (a watch, a followed log) and give its body."""
        async with self._session.get(
            self._access.server + path, headers=self._authorization(())
        ) as response:
            assert response.status == 200, await response.text()
            yield response.content

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        options: Iterable[tuple[str, str]],
        *,
        protocols: Iterable[str] = (V5, V4),
        headers: Headers = (),
    ) -> AsyncIterator[Stream]:
        """Open an exec or attach. Raises HandshakeRefused."""
        url = f"{self._access.server}{path}?{urlencode(list(options))}"
        async with aiohttp.ClientSession(
            connector=self._connector(), raise_for_status=_refuse
        ) as session:
            async with session.ws_connect(
                url,
                protocols=tuple(protocols),
                headers=[*self._authorization(headers), *headers],
                timeout=aiohttp.ClientWSTimeout(ws_close=2),
                max_msg_size=0,
            ) as socket:
                yield Stream(socket, socket.protocol or "")
                await socket.close()

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(ssl=self._access.tls, socket_factory=self._sockets.for_call)

    def _authorization(self, headers: Headers) -> list[tuple[str, str]]:
        if not self._access.token or any(name == "Authorization" for name, _ in headers):
            return []
        return [("Authorization", f"Bearer {self._access.token}")]


async def _refuse(response: aiohttp.ClientResponse) -> None:
    if response.status != 101:
        kind = response.content_type if "Content-Type" in response.headers else ""
        raise HandshakeRefused(Reply(response.status, kind, await response.text()))


def size_line(cols: int, rows: int, end: bytes = b"\n") -> bytes:
    """Return a line for a shell that writes `rows cols` once its terminal has that size.

    A real node sets the size beside what it does with the input, and not before it.
    """
    size = f"{rows} {cols}"
    return f'until [ "$(stty size)" = "{size}" ]; do sleep 0.1; done; stty size'.encode() + end


def impersonating(user: str, *groups: str) -> list[tuple[str, str]]:
    """Return the headers that act as somebody else."""
    return [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]


def exec_options(
    container: str, *command: str, tty: bool = False, stdin: bool = False
) -> list[tuple[str, str]]:
    """Return the query of an exec: everything is asked for that the kind of stream has."""
    wanted = [("container", container), ("stdout", "true")]
    wanted += [("tty", "true")] if tty else [("stderr", "true")]
    wanted += [("stdin", "true")] if stdin else []
    return [*wanted, *(("command", argument) for argument in command)]
