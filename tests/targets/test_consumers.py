"""targets.consumers: the live tree over a real socket of the application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.testing import WebsocketCommunicator
from django.test import Client

from access.models import AuditEvent, Grant
from access.sockets import open_sockets
from access.tickets import issue
from protocol.execution import Refusal, Refused
from protocol.refusal import StreamRefused
from targets.consumers import TargetsConsumer
from targets.wire import SUBPROTOCOL
from tests.targets.fakes import FakeContainer, FakeDirectory, FakePod, FakeRights

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE = 20
"""Seconds that a test waits for anything."""


class Tree:
    """A client of the live tree."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self._communicator = communicator

    async def say(self, **message: Any) -> None:
        """Send one message."""
        await self._communicator.send_to(text_data=json.dumps(message))

    async def send(self, **frame: Any) -> None:
        """Send one frame as it is."""
        await self._communicator.send_to(**frame)

    async def hears(self, kind: str) -> dict[str, Any]:
        """Return the next message of this type."""
        while True:
            event = await self._communicator.receive_output(timeout=DEADLINE)
            if event["type"] != "websocket.send":
                raise AssertionError(f"The socket closed: {event}")
            message: dict[str, Any] = json.loads(event["text"])
            if message["type"] == kind:
                return message

    async def closes(self) -> int:
        """Return the close code."""
        while True:
            event = await self._communicator.receive_output(timeout=DEADLINE)
            if event["type"] == "websocket.close":
                return int(event["code"])


@pytest.fixture
def directory() -> FakeDirectory:
    found = FakeDirectory()
    found.have(FakePod())
    return found


@pytest.fixture
def rights() -> FakeRights:
    return FakeRights()


Open = Callable[..., Any]


@pytest.fixture
def open_tree(
    directory: FakeDirectory, rights: FakeRights, browser_of: Callable[[Any], Client]
) -> Open:
    """Return a context manager that opens the live tree for a person."""

    @asynccontextmanager
    async def opened(user: Any, **options: Any) -> AsyncIterator[Tree]:
        client = await sync_to_async(browser_of)(user)
        key = client.cookies["hatchway_session"].value
        ticket = await sync_to_async(issue)(user, key, "targets")
        application = AuthMiddlewareStack(
            TargetsConsumer.as_asgi(directory=directory, rights=rights, **options)
        )
        communicator = WebsocketCommunicator(
            application,
            "/ws/targets",
            headers=[(b"cookie", f"hatchway_session={key}".encode())],
            subprotocols=[SUBPROTOCOL, f"hatchway.ticket.{ticket}"],
        )
        is_open, subprotocol = await communicator.connect(timeout=DEADLINE)
        assert is_open
        assert subprotocol == SUBPROTOCOL
        tree = Tree(communicator)
        try:
            yield tree
        finally:
            await communicator.disconnect(timeout=DEADLINE)

    return opened


async def test_the_tree_begins_with_the_state_and_everything(
    open_tree: Open, alice: Any, directory: FakeDirectory
) -> None:
    directory.have(FakePod(uid="uid-2", namespace="vault"))
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])

        state = await tree.hears("cluster")
        assert (state["state"], state["namespaces"]) == ("live", ["shop"])
        pods = await tree.hears("pods")
        assert pods["reset"] is True
        assert [pod["uid"] for pod in pods["pods"]] == ["uid-1"]
        assert pods["pods"][0]["containers"][0]["may"] == ["exec", "attach", "debug"]
    assert directory.left == 1
    assert open_sockets() == 0


async def test_changes_and_removals_follow(
    open_tree: Open, alice: Any, directory: FakeDirectory
) -> None:
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        directory.change(FakePod(restarts=3))
        changed = await tree.hears("pods")
        assert changed["reset"] is False
        assert changed["pods"][0]["restarts"] == 3

        directory.remove("uid-1")
        assert (await tree.hears("gone"))["pods"] == ["uid-1"]


async def test_a_pod_that_leaves_a_grant_s_labels_is_gone(
    open_tree: Open, charlie: Any, make_grant: Callable[..., Any], directory: FakeDirectory
) -> None:
    from access.actions import Action

    await sync_to_async(make_grant)(charlie, Action.EXEC, labels="app=web")
    async with open_tree(charlie) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        directory.change(replace(FakePod(), labels={"app": "api"}))

        assert (await tree.hears("gone"))["pods"] == ["uid-1"]


async def test_nothing_is_said_of_what_looks_the_same(
    open_tree: Open, alice: Any, directory: FakeDirectory
) -> None:
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        directory.change(FakePod())
        directory.change(FakePod(containers=(FakeContainer(restarts=1),)))

        changed = await tree.hears("pods")
        assert changed["pods"][0]["containers"][0]["restarts"] == 1


async def test_who_has_no_grant_is_not_told_what_exists(
    open_tree: Open, charlie: Any, directory: FakeDirectory
) -> None:
    async with open_tree(charlie) as tree:
        await tree.say(type="hello", clusters=["demo", "nowhere"])

        first, second = await tree.hears("cluster"), await tree.hears("cluster")
        assert first["state"] == second["state"] == "failed"
        assert first["message"] == second["message"]
    assert directory.watched == []


async def test_a_cluster_that_refuses_says_why_and_the_socket_stays(
    open_tree: Open, alice: Any, directory: FakeDirectory
) -> None:
    directory.refusal = StreamRefused(Refused(Refusal.CLUSTER_UNREACHABLE, "It is away."))
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])

        state = await tree.hears("cluster")
        assert (state["state"], state["message"]) == ("failed", "It is away.")
        await tree.say(type="ping", t=3)
        assert (await tree.hears("pong"))["t"] == 3


async def test_a_cluster_that_cannot_be_asked_offers_nothing(
    open_tree: Open, alice: Any, rights: FakeRights
) -> None:
    rights.unreachable = True
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])

        container = (await tree.hears("pods"))["pods"][0]["containers"][0]
        assert container["may"] == []
        assert container["why"]["exec"] == "The cluster is away."


async def test_the_cluster_is_asked_once_for_each_namespace_and_action(
    open_tree: Open, alice: Any, directory: FakeDirectory, rights: FakeRights
) -> None:
    directory.have(*(FakePod(uid=f"uid-{number}", name=f"web-{number}") for number in range(50)))
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

    assert sorted(rights.asked) == [("shop", "attach"), ("shop", "debug"), ("shop", "exec")]


async def test_a_second_hello_changes_what_is_watched(
    open_tree: Open, alice: Any, directory: FakeDirectory
) -> None:
    async with open_tree(alice) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        await tree.say(type="hello", clusters=[])
        await tree.say(type="ping", t=1)
        await tree.hears("pong")
        async with asyncio.timeout(DEADLINE):
            while not directory.left:
                await asyncio.sleep(0)


async def test_a_grant_that_is_taken_away_empties_the_tree(open_tree: Open, alice: Any) -> None:
    async with open_tree(alice, check_seconds=0.05) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        await Grant.objects.all().aupdate(enabled=False)

        while (await tree.hears("cluster"))["state"] != "failed":
            pass


async def test_signing_out_closes_the_tree(open_tree: Open, alice: Any) -> None:
    from django.contrib.sessions.models import Session

    async with open_tree(alice, check_seconds=0.05) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        await Session.objects.all().adelete()

        assert await tree.closes() == 4401


async def test_a_disabled_account_loses_the_tree(open_tree: Open, alice: Any) -> None:
    async with open_tree(alice, check_seconds=0.05) as tree:
        await tree.say(type="hello", clusters=["demo"])
        await tree.hears("pods")

        await type(alice).objects.filter(pk=alice.pk).aupdate(is_active=False)

        assert await tree.closes() == 4403


@pytest.mark.parametrize("frame", [{"text_data": "{"}, {"bytes_data": b"\x00\x01"}])
async def test_a_frame_that_breaks_the_protocol_closes_the_socket(
    open_tree: Open, alice: Any, frame: dict[str, Any]
) -> None:
    async with open_tree(alice) as tree:
        await tree.send(**frame)

        assert (await tree.hears("error"))["code"] == "bad_frame"
        assert await tree.closes() == 4400
    assert not await AuditEvent.objects.filter(tag__startswith="terminal").aexists()
