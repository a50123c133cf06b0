"""A person with a client of their own: real HTTP, real sockets, a readable model of the session."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.e2e.other_client import Hatchway
from tests.e2e.running import PASSWORD, RunningHatchway

DEADLINE = 30.0
"""Seconds that a test waits for anything."""


def sign_in(hatchway: RunningHatchway, username: str = "alice") -> Hatchway:
    """Sign a demo account in."""
    return Hatchway(hatchway.origin, username, PASSWORD)


def ask(client: Hatchway, target: str, **more: Any) -> dict[str, Any]:
    """Ask for a ticket to a new session in cluster/namespace/pod/container."""
    names = dict(zip(("cluster", "namespace", "pod", "container"), target.split("/"), strict=True))
    answer: dict[str, Any] = client.call("POST", "/api/tickets", {"target": names, **more})
    return answer


class Terminal:
    """One view of a session: what it was sent, what it typed."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.output = bytearray()
        self.events: list[dict[str, Any]] = []
        self.offset = 0
        self.screens = 0
        self.typed = 0
        self.close_code: int | None = None

    async def hello(self, client: str = "view-0001", offset: int | None = None) -> None:
        """Say hello and wait for the welcome."""
        await self.tells(
            {"type": "hello", "client": client, "cols": 80, "rows": 24, "offset": offset}
        )
        await self.until(lambda: bool(self.told("welcome")))

    async def tells(self, event: dict[str, Any]) -> None:
        """Send a control message."""
        await self._socket.send(json.dumps(event))

    async def types(self, data: bytes) -> None:
        """Send input."""
        await self._socket.send(struct.pack(">BQ", 0, self.typed) + data)
        self.typed += len(data)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return all control messages of a type so far."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def session(self) -> str:
        """The session's id."""
        return str(self.told("welcome")[0]["session"])

    async def sees(self, data: bytes) -> None:
        """Read until output holds `data`."""
        await self.until(lambda: data in self.output)

    async def until(self, condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
        """Read until the condition holds."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self._read()
        except TimeoutError:
            tail = bytes(self.output[-500:])
            raise AssertionError(f"not seen; output ends {tail!r}, told {self.events}") from None

    async def is_closed(self) -> int:
        """Read until the server closes the socket; return the code."""
        await self.until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    async def _read(self) -> None:
        if self.close_code is not None:
            raise AssertionError(f"closed with {self.close_code}, told {self.events}")
        try:
            message = await self._socket.recv()
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else 1006
            return
        if isinstance(message, str):
            self.events.append(json.loads(message))
            return
        kind, offset = struct.unpack_from(">BQ", message)
        data = message[9:]
        if kind == 1:
            self.output += data
            self.offset = offset + len(data)
        else:
            self.screens += 1
            self.output += data
            self.offset = offset
        with suppress(ConnectionClosed):
            # The server may have closed behind what was just read; the close is read next.
            await self.tells({"type": "ack", "offset": self.offset})


@asynccontextmanager
async def terminal(client: Hatchway, ticket: dict[str, Any]) -> AsyncIterator[Terminal]:
    """Open a socket with a ticket."""
    async with client.socket(ticket) as socket:
        yield Terminal(socket)


@asynccontextmanager
async def shell(client: Hatchway, target: str, **more: Any) -> AsyncIterator[Terminal]:
    """Open a new session and wait for its prompt's first byte."""
    ticket = await asyncio.to_thread(ask, client, target, **more)
    async with terminal(client, ticket) as opened:
        await opened.hello()
        await opened.until(lambda: bool(opened.output))
        yield opened
