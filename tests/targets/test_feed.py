"""targets.feed: a large cluster on one socket leaves the others their turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

from access.policy import Rights, Rule
from access.selector import Selector
from protocol.identity import Identity
from targets.feed import ClusterFeed
from tests.targets.fakes import FakeDirectory, FakePod, FakeRights

EVERYTHING = Rule(uuid4(), "all", frozenset({"exec"}), "*", "*", "*", Selector(), None, "olga")


async def test_others_get_their_turn_while_thousands_of_pods_are_described() -> None:
    directory, turns, sent = FakeDirectory(), 0, asyncio.Event()
    directory.have(*(FakePod(uid=f"u-{number}", name=f"web-{number}") for number in range(2000)))

    async def send(text: str) -> None:
        if '"type":"pods"' in text:
            sent.set()

    async def take_turns() -> None:
        nonlocal turns
        while not sent.is_set():
            turns += 1
            await asyncio.sleep(0)

    feed = ClusterFeed(
        "demo",
        identity=Identity("alice"),
        grants=Rights((EVERYTHING,)),
        directory=directory,
        rights=FakeRights(),
        send=send,
    )
    async with asyncio.TaskGroup() as tasks:
        running: asyncio.Task[Any] = tasks.create_task(feed.run())
        tasks.create_task(take_turns())
        async with asyncio.timeout(20):
            await sent.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    assert turns >= 2000 / 20
