"""The terminal app with a scripted cluster: real models, real API, real sockets, fakes at ports."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import path

from access.cluster_rights import Verdict
from access.models import Grant
from protocol.identity import Identity
from protocol.target import Target
from terminal import wiring
from terminal.consumers import TerminalConsumer
from terminal.hosting import Hosting
from terminal.session.limits import Limits
from terminal.wiring import Wiring
from tests.terminal.session.fakes import (
    TARGET,
    FakeCluster,
    FakeEffort,
    FakeReaper,
    FakeScreens,
)

ORIGIN = "http://127.0.0.1:8000"
DEADLINE = 20.0
"""Seconds that a test waits for anything."""


@dataclass
class FakeRights:
    """A cluster that allows everything, until it is told otherwise."""

    verdict: Verdict = field(default_factory=lambda: Verdict(True))
    asked: list[tuple[Target, Identity, str]] = field(default_factory=list)

    async def may(
        self, target: Target, identity: Identity, action: str, *, fresh: bool = False
    ) -> Verdict:
        """Answer as scripted."""
        self.asked.append((target, identity, action))
        return self.verdict


class Screens(FakeScreens):
    """Fake screens as a context, the way hosting holds them."""

    async def __aenter__(self) -> Screens:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None


class Site:
    """One process of Hatchway, on scripted Kubernetes."""

    def __init__(self, limits: Limits) -> None:
        self.cluster = FakeCluster()
        self.reaper = FakeReaper()
        self.rights = FakeRights()
        self.hosting = Hosting(
            name="test-host",
            backend=self.cluster,
            reaper=self.reaper,
            rights=self.rights,
            screens=Screens,
            effort=FakeEffort(),
            limits=limits,
        )
        self.wiring = Wiring(
            backend=self.cluster,
            reaper=self.reaper,
            rights=self.rights,
            limits=limits,
            sessions_per_person=3,
            host_name=self.hosting.name,
            host=self.hosting.host,
        )


@asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncIterator[Site]:
    """Serve a site while the block runs."""
    site = Site(limits or Limits())
    before = list(wiring._installed)
    wiring.install(site.wiring)
    try:
        async with site.hosting.serving():
            yield site
    finally:
        wiring._installed[:] = before


async def give(user: User, *actions: str, **where: str) -> Grant:
    """Give a person a grant of these actions."""
    scope = {"cluster": "*", "namespaces": "*", "containers": "*", **where}
    return await Grant.objects.acreate(
        name=f"{user.username} may {' '.join(actions)}",
        user=user,
        actions=list(actions),
        owner="the team lead",
        **scope,
    )


TARGET_BODY = {
    "cluster": TARGET.cluster,
    "namespace": TARGET.namespace,
    "pod": TARGET.pod,
    "container": TARGET.container,
}


class Person:
    """A signed-in person: HTTP calls and sockets with their cookies."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.http = AsyncClient()

    async def signs_in(self) -> Person:
        """Sign in."""
        await self.http.aforce_login(self.user)
        return self

    async def post(self, address: str, body: Any = None) -> Any:
        """Send JSON and return the response."""
        return await self.http.post(address, body, content_type="application/json")

    async def ticket(self, **body: Any) -> Any:
        """Ask for a ticket and return the answer's JSON with the status under `status`."""
        answer = await self.post("/api/tickets", body or {"target": TARGET_BODY})
        return {"status": answer.status_code, **answer.json()}

    async def socket(self, ticket: str) -> Socket:
        """Open a socket with a ticket."""
        cookie = "; ".join(f"{key}={morsel.value}" for key, morsel in self.http.cookies.items())
        router = AuthMiddlewareStack(URLRouter([path("ws/tty", TerminalConsumer.as_asgi())]))
        communicator = WebsocketCommunicator(
            router,
            "/ws/tty",
            headers=[(b"cookie", cookie.encode()), (b"origin", ORIGIN.encode())],
            subprotocols=["hatchway.tty.v1", f"hatchway.ticket.{ticket}"],
        )
        return await Socket(communicator).connect()

    async def opens(self, **body: Any) -> Socket:
        """Ask for a ticket, open a socket with it and say hello."""
        answer = await self.ticket(**body)
        assert answer["status"] == 201, answer
        socket = await self.socket(answer["ticket"])
        await socket.hello()
        return socket


class Socket:
    """The browser's end of a socket, with a readable model of what it was told."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self._communicator = communicator
        self.is_open = False
        self.output = bytearray()
        self.events: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.typed = 0

    async def connect(self) -> Socket:
        """Do the handshake."""
        self.is_open, _ = await self._communicator.connect(timeout=DEADLINE)
        return self

    async def hello(self, client: str = "client-1", offset: int | None = None) -> None:
        """Say hello and wait for the welcome."""
        await self.tells(
            {"type": "hello", "client": client, "cols": 80, "rows": 24, "offset": offset}
        )
        await self.until(lambda: bool(self.told("welcome")))

    async def tells(self, event: dict[str, Any]) -> None:
        """Send a control message."""
        await self._communicator.send_to(text_data=json.dumps(event))

    async def types(self, data: bytes) -> None:
        """Send input."""
        await self._communicator.send_to(bytes_data=struct.pack(">BQ", 0, self.typed) + data)
        self.typed += len(data)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return all control messages of a type so far."""
        return [event for event in self.events if event["type"] == kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read until the condition holds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await self._read()

    async def sees(self, data: bytes) -> None:
        """Read until output holds `data`."""
        await self.until(lambda: data in self.output)

    async def is_closed(self) -> int:
        """Read until the server closes the socket; return the code."""
        await self.until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    async def leaves(self) -> None:
        """Close the socket."""
        await self._communicator.disconnect(timeout=DEADLINE)

    async def _read(self) -> None:
        if self.close_code is not None:
            raise AssertionError(f"closed with {self.close_code}, told {self.events}")
        message = await self._communicator.receive_output(timeout=DEADLINE)
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
        elif message.get("bytes") is not None:
            frame = message["bytes"]
            offset = struct.unpack(">Q", frame[1:9])[0]
            if frame[0] == 1:
                self.output += frame[9:]
                offset += len(frame) - 9
            await self.tells({"type": "ack", "offset": offset})
        else:
            self.events.append(json.loads(message["text"]))
