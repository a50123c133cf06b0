"""A load client of Hatchway: the protocol of docs/protocol.md over one aiohttp socket."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from bench.connections import connections
from bench.screen import PATIENCE_SECONDS, Screen
from tests.e2e.other_client import Hatchway

ACK_BYTES = 16 * 1024
"""Acknowledge at least this often."""
ACK_SECONDS = 0.05
"""And this long after the last byte: the protocol asks for 100 ms."""
PING_SECONDS = 10.0

_HEAD = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class Door:
    """How a load client reaches a Hatchway: a signed-in person, and the port to knock at."""

    person: Hatchway
    http: aiohttp.ClientSession
    port: int

    def ticket(self, target: str, **more: Any) -> dict[str, Any]:
        """Ask for a ticket to a new session (blocks)."""
        names = ("cluster", "namespace", "pod", "container")
        parts = dict(zip(names, target.split("/"), strict=True))
        answer: dict[str, Any] = self.person.call("POST", "/api/tickets", {"target": parts, **more})
        return answer


class Client(Screen):
    """One terminal. With `rate` it renders no more than that many bytes a second, as a browser."""

    def __init__(self, opened: aiohttp.ClientWebSocketResponse, rate: float | None) -> None:
        super().__init__()
        self.session = ""
        self.skipped = 0
        """Bytes that were replaced by a screen."""
        self.ended: dict[str, Any] | None = None
        self.over = asyncio.Event()
        """Set when the socket has closed."""
        self._socket = opened
        self._rate = rate
        self._typed = 0
        self._shown = 0
        self._acked = 0
        self._rendered_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._ack_timer: asyncio.TimerHandle | None = None
        self._ack_due = asyncio.Event()
        self._live = asyncio.Event()

    async def type(self, data: bytes) -> None:
        """Send input."""
        head = _HEAD.pack(0, self._typed)
        self._typed += len(data)
        await self._socket.send_bytes(head + data)

    async def tell(self, **event: Any) -> None:
        """Send a control message."""
        await self._socket.send_str(orjson.dumps(event).decode())

    def cut(self) -> None:
        """Break the connection without a word, as a lost network does."""
        connection = self._socket.get_extra_info("socket")
        with socket.socket(fileno=os.dup(connection.fileno())) as raw:
            raw.shutdown(socket.SHUT_RDWR)

    async def welcomed(self) -> None:
        """Wait until the shell runs."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._live.wait()

    async def read(self) -> None:
        """Show and acknowledge until the socket closes."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await self._show(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._hear(orjson.loads(message.data))
        self.over.set()
        self.fail(ConnectionError(f"the socket closed ({self._socket.close_code}), {self.ended}"))

    async def keep_up(self) -> None:
        """Acknowledge late and ping, until cancelled."""
        pinged = self._loop.time()
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._ack_due.wait()
            except TimeoutError:
                pass
            self._ack_due.clear()
            if self._socket.closed:
                return
            await self._ack()
            if self._loop.time() - pinged > PING_SECONDS:
                pinged = self._loop.time()
                await self.tell(type="ping", t=1)

    async def _show(self, frame: bytes) -> None:
        kind, offset = _HEAD.unpack_from(frame)
        data = frame[9:]
        if self._rate is not None:
            now = self._loop.time()
            self._rendered_at = max(self._rendered_at, now) + len(data) / self._rate
            await asyncio.sleep(self._rendered_at - now)
        is_output = kind == 1
        self.take(data, is_output=is_output)
        self._shown = offset + len(data) if is_output else offset
        if not is_output or self._shown - self._acked >= ACK_BYTES:
            await self._ack()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_later(ACK_SECONDS, self._ack_late)

    def _ack_late(self) -> None:
        self._ack_timer = None
        self._ack_due.set()

    async def _ack(self) -> None:
        if self._shown > self._acked:
            self._acked = self._shown
            await self.tell(type="ack", offset=self._shown)

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "welcome":
            self.session = event["session"]
        elif kind == "resync":
            self.skipped += event["skipped"]
        elif kind == "ended":
            self.ended = event
        if event.get("state") == "live":
            self._live.set()


@asynccontextmanager
async def connected(
    door: Door,
    target: str,
    *,
    port: int | None = None,
    rate: float | None = None,
    end: bool = True,
    **more: Any,
) -> AsyncIterator[Client]:
    """Open a session and its socket; leaving ends the session where `end` says so.

    `port`: another one to connect to, such as that of a slow line.
    """
    ticket = await asyncio.to_thread(door.ticket, target, **more)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in door.person.jar)
    async with door.http.ws_connect(
        f"http://127.0.0.1:{port or door.port}{ticket['path']}",
        headers={
            "Cookie": cookies,
            "Origin": door.person.origin,
            "Host": door.person.origin.removeprefix("http://"),
        },
        protocols=(ticket["subprotocol"], "hatchway.ticket." + ticket["ticket"]),
        max_msg_size=0,
        compress=0,
    ) as opened:
        client = Client(opened, rate)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(client.read())
            keeping = tasks.create_task(client.keep_up())
            await client.tell(
                type="hello", client=secrets.token_hex(8), cols=80, rows=24, offset=None
            )
            await client.welcomed()
            try:
                yield client
                if end and not opened.closed:
                    await client.tell(type="end")
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await reading
            finally:
                keeping.cancel()
                reading.cancel()


@asynccontextmanager
async def shell(door: Door, target: str, **more: Any) -> AsyncIterator[Client]:
    """Open a session whose shell shows the bench's prompt."""
    async with connected(door, target, **more) as client:
        await client.prepare()
        yield client


@dataclass(frozen=True, slots=True)
class HatchwayWay:
    """How to open a session and its socket from any process (a flooder's WayIn)."""

    origin: str
    port: int
    username: str
    password: str
    target: str
    rate: float | None

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[Screen]:
        """Sign in and open a session; leaving ends it."""
        person = await asyncio.to_thread(Hatchway, self.origin, self.username, self.password)
        async with connections() as http:
            door = Door(person, http, self.port)
            async with shell(door, self.target, rate=self.rate) as client:
                yield client
