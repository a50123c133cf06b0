"""A small server that speaks v4 and v5 of the exec protocol and breaks in every known way.

It is told by the test what to do with each stream: a `Script` is a coroutine that has the open
WebSocket, or an HTTP response instead of one. It records what it was asked, and as whom.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from protocol.remotecommand import V4, V5, Status, status_frame

Script = Callable[["Stream"], Awaitable[None]]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stream:
    """One accepted exec or attach."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.subprotocol = socket.ws_protocol or ""

    async def say(self, data: bytes, channel: int = 1) -> None:
        await self.socket.send_bytes(bytes((channel,)) + data)

    async def raw(self, frame: bytes) -> None:
        await self.socket.send_bytes(frame)

    async def end(self, code: int = 0) -> None:
        status = (
            Status(is_success=True)
            if code == 0
            else Status(False, "NonZeroExitCode", "command terminated", code)
        )
        await self.socket.send_bytes(status_frame(status))
        await self.socket.close()

    async def fail(self, message: str) -> None:
        await self.socket.send_bytes(status_frame(Status(False, "InternalError", message)))
        await self.socket.close()

    async def hear(self) -> bytes | None:
        """Return the next binary message, or None when the client has closed."""
        message = await self.socket.receive()
        return message.data if message.type is WSMsgType.BINARY else None

    def cut(self) -> None:
        """End the TCP connection without a word."""
        transport = self.request.transport
        assert transport is not None
        transport.abort()


@dataclass
class Kubelet:
    """What the server does next and what it has seen."""

    script: Script | None = None
    answer: Answer | None = None
    subprotocols: tuple[str, ...] = (V5, V4)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    address: str = ""
    token: str = "right"

    @property
    def seen(self) -> web.Request:
        return self.requests[-1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return status_response(401, "Unauthorized", "Unauthorized")
        if self.answer is not None:
            return await self.answer(request)
        assert self.script is not None
        socket = web.WebSocketResponse(protocols=self.subprotocols, timeout=1, max_msg_size=0)
        await socket.prepare(request)
        stream = Stream(socket, request)
        await stream.raw(b"\x01")
        await self.script(stream)
        return socket


@asynccontextmanager
async def running(kubelet: Kubelet) -> AsyncIterator[Kubelet]:
    """Serve on a free loopback port."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", kubelet._handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    kubelet.address = f"http://{host}:{port}"
    try:
        yield kubelet
    finally:
        await runner.cleanup()


def status_response(
    code: int, reason: str, message: str, details: Mapping[str, Any] | None = None
) -> web.Response:
    """Return an error as an API server words it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details or {},
        "code": code,
    }
    return web.json_response(body, status=code)


def answering(response: Callable[[], web.Response]) -> Answer:
    """Return an Answer that always gives this response."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return response()

    return answer


def kubeconfig_of(address: str, *, token: str = "right", context: str = "it") -> str:
    """Return a kubeconfig with one context."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": address}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
            "current-context": context,
        }
    )


def write_kubeconfig(directory: Path, address: str, **options: str) -> Path:
    """Write that kubeconfig and return its path."""
    path = directory / "kubeconfig"
    path.write_text(kubeconfig_of(address, **options))
    return path


async def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
