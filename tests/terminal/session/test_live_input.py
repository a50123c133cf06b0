"""Who owns a session types into it and sets its size; everybody else looks on."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from protocol import tty
from protocol.close import CloseCode
from protocol.size import Size
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from terminal.session.inbox import InputGap, InputOverflow
from terminal.session.view import View
from tests.terminal.session.fakes import ALICE, BOB, SIZE
from tests.terminal.session.world import World

KIB = 1024
MIB = 1024 * KIB


# Owning


async def test_the_newest_owner_wins_and_the_older_one_becomes_a_viewer() -> None:
    async with World() as world:
        session = world.open()
        first = world.join(session, "client-one")
        await first.sees(b"$ ")

        second = world.join(session, "client-two", size=Size(100, 30))
        role = await first.is_told(tty.RoleChanged)

        assert role == tty.RoleChanged("viewer", 2, "replaced", 0)
        assert second.view.role == "owner"
        assert session.owner is second.view
        assert session.viewers == 1


async def test_input_sizes_and_the_end_of_a_stale_owner_are_dropped() -> None:
    async with World() as world:
        session = world.open()
        first = world.join(session, "client-one")
        await first.sees(b"$ ")
        second = world.join(session, "client-two")
        stream = await world.cluster.stream()

        first.types(b"rm -rf /\r")
        session.resize(first.view, Size(10, 10))
        session.enable_input(first.view)
        second.types(b"ls\r")
        await second.sees(b"ls\r\n")

        assert bytes(stream.stdin) == b"ls\r"
        assert session.size == SIZE


async def test_a_viewer_of_the_same_person_may_take_over_again() -> None:
    async with World() as world:
        session = world.open()
        first = world.join(session, "client-one")
        await first.sees(b"$ ")
        first.types(b"abc")
        await first.sees(b"abc")
        second = world.join(session, "client-two")
        second.types(b"x")
        await second.sees(b"x")

        session.take(first.view, SIZE)
        await first.until(lambda: len(first.told(tty.RoleChanged)) == 2)

        assert first.told(tty.RoleChanged)[-1] == tty.RoleChanged("owner", 3, "taken", 3)
        assert await second.is_told(tty.RoleChanged) == tty.RoleChanged("viewer", 3, "replaced", 0)
        first.types(b"d")
        await first.sees(b"abcxd")


async def test_nobody_takes_a_session_that_is_not_theirs_or_with_a_view_that_is_gone() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)
        other = world.join(session, "viewer-one", holder=BOB, may_own=False)
        gone = View(session, "client-two", ALICE, True)

        session.take(other.view, SIZE)
        session.take(gone, SIZE)
        session.take(owner.view, SIZE)

        assert session.owner is owner.view
        assert session.epoch == 1


async def test_a_client_that_returns_closes_its_dead_twin() -> None:
    async with World() as world:
        session = world.open()
        dead = world.join(session)
        await dead.sees(b"$ ")

        again = world.join(session, offset=dead.offset)
        while not dead.is_closed:
            await dead.read()
        session.take(dead.view, SIZE)

        assert dead.view.close_code is CloseCode.REPLACED
        assert session.owner is again.view


async def test_another_person_cannot_close_a_view_by_using_its_name() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)

        world.join(session, owner.name, holder=BOB, may_own=False)

        assert not owner.view.is_closing


async def test_everybody_is_told_how_many_watch() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)
        viewers = [
            world.join(session, f"viewer-{number}", holder=BOB, may_own=False)
            for number in range(3)
        ]
        await owner.sees(b"$ ")
        assert owner.told(tty.People) == [tty.People(3)]

        viewers[0].leaves()
        await owner.until(lambda: len(owner.told(tty.People)) == 2)

        assert owner.told(tty.People)[-1] == tty.People(2)


# Input


async def test_input_sent_again_after_a_cut_arrives_once() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        stream = await world.cluster.stream()
        client.types(b"abc")
        client.leaves()

        again = world.join(session, offset=client.offset)
        await again.read()
        assert again.welcome.input == 3
        session.type(again.view, 0, b"abc")
        session.type(again.view, 1, b"bcd")
        await again.sees(b"abcd")

        assert bytes(stream.stdin) == b"abcd"
        assert session.bytes_in == 4


async def test_a_gap_and_an_overflow_of_input_are_errors_of_that_client() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        stream.takes_input.clear()
        await client.sees(b"$ ")

        with pytest.raises(InputGap):
            session.type(client.view, 1, b"x")
        for _ in range(4):
            client.types(b"x" * 64 * KIB)
        with pytest.raises(InputOverflow):
            client.types(b"y")

        assert session.ending is None


async def test_delivered_input_is_acknowledged_soon_and_much_of_it_at_once() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        loop = asyncio.get_running_loop()

        before = loop.time()
        client.types(b"abc")
        await client.is_told(tty.InputDelivered)
        soon = loop.time() - before
        client.types(b"x" * 40 * KIB)
        await client.until(lambda: tty.InputDelivered(3 + 40 * KIB) in client.events)
        at_once = loop.time() - before - soon

        assert soon == pytest.approx(limits.INPUT_ACK_SECONDS, abs=0.01)
        assert at_once <= limits.INPUT_ACK_SECONDS + 0.01
        assert tty.InputDelivered(3 + 32 * KIB) in client.events


async def test_input_that_nobody_reads_waits_without_holding_up_the_output() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        stream.takes_input.clear()
        client.types(b"abc")

        stream.writes(b"still writing")
        await client.sees(b"still writing")
        assert not client.told(tty.InputDelivered)
        stream.takes_input.set()

        assert await client.is_told(tty.InputDelivered) == tty.InputDelivered(3)


async def test_a_session_that_is_ending_takes_no_input() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        assert session.end(Ending(EndReason.CLOSED_BY_OWNER, "Closed."))
        assert not session.end(Ending(EndReason.TERMINATED, "Too late."))
        client.types(b"x")

        assert (await client.sees_the_end()).reason == "closed_by_owner"
        assert session.bytes_in == 0


# Sizes


async def test_the_latest_size_wins_and_the_container_sees_at_most_ten_a_second() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await client.sees(b"$ ")

        for number in range(100):
            session.resize(client.view, Size(100 + number, 30))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)

        times = [at for at, _ in stream.sizes]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) >= limits.RESIZE_SECONDS - 0.001
        assert 15 <= len(times) <= 22
        assert stream.sizes[-1][1] == Size(199, 30)
        assert world.screens.screens[0].size == Size(199, 30)


async def test_input_does_not_wait_for_a_size() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await client.sees(b"$ ")
        session.resize(client.view, Size(100, 30))
        await asyncio.sleep(0.01)
        session.resize(client.view, Size(101, 30))
        await asyncio.sleep(0.01)

        client.types(b"x")
        await asyncio.sleep(0.01)

        assert bytes(stream.stdin) == b"x"
        assert len(stream.sizes) == 1
        await asyncio.sleep(0.2)
        assert stream.sizes[-1][1] == Size(101, 30)


async def test_viewers_are_told_the_size_and_from_which_byte_on() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)
        await owner.sees(b"$ ")
        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)

        session.resize(viewer.view, Size(20, 20))
        session.resize(owner.view, Size(100, 30))
        changed = await viewer.is_told(tty.SizeChanged)

        assert changed == tty.SizeChanged(2, 100, 30)
        assert not owner.told(tty.SizeChanged)
