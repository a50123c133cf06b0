"""A view tells its client everything in order, within bounds, and closes when it must."""

from __future__ import annotations

import pytest

from protocol import tty
from protocol.close import CloseCode
from terminal.session import limits
from tests.terminal.session.fakes import BOB
from tests.terminal.session.world import World


async def test_an_acknowledgement_of_bytes_that_were_never_sent_is_refused() -> None:
    async with World() as world:
        client = world.join(world.open())
        await client.sees(b"$ ")

        with pytest.raises(tty.BadFrame, match="never sent"):
            client.view.acked(3)


async def test_a_socket_that_reads_nothing_is_closed_before_its_queue_fills_the_memory() -> None:
    async with World() as world:
        client = world.join(world.open())

        for number in range(1000):
            client.view.tell(tty.Pong(number))
        while not client.is_closed:
            await client.read()

        assert client.view.close_code is CloseCode.TIMED_OUT
        assert len(client.events) == limits.CONTROL_MESSAGES


async def test_people_who_come_and_go_cannot_fill_the_queue_of_a_slow_socket() -> None:
    async with World() as world:
        session = world.open()
        slow = world.join(session)
        await slow.sees(b"$ ")

        for number in range(1000):
            world.join(session, f"viewer-{number}", holder=BOB, may_own=False).leaves()

        assert not slow.view.is_closing
        assert await slow.is_told(tty.People) == tty.People(0)


async def test_the_last_word_before_a_close_is_said_once() -> None:
    async with World() as world:
        client = world.join(world.open())
        error = tty.Error("bad_frame", "That was no frame.", {})

        client.view.close(CloseCode.BAD_FRAME, error)
        client.view.close(CloseCode.NORMAL, error)
        client.view.tell(tty.Pong(1))
        while not client.is_closed:
            await client.read()

        assert client.told(tty.Error) == [error]
        assert not client.told(tty.Pong)
        assert client.view.close_code is CloseCode.BAD_FRAME


async def test_only_its_owner_closes_a_session() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)
        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)
        await owner.sees(b"$ ")

        session.close_by_owner(viewer.view)
        assert session.ending is None
        session.close_by_owner(owner.view)

        assert (await owner.sees_the_end()).reason == "closed_by_owner"
        assert (await viewer.sees_the_end()).reason == "closed_by_owner"


async def test_an_acknowledgement_wakes_a_view_only_if_it_has_more_to_send() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.acknowledges = False
        (stream,) = world.cluster.streams
        stream.writes(b"all of it")
        await client.sees(b"all of it")

        client.view._wake.clear()
        client.view.acked(client.offset)
        assert not client.view._wake.is_set()

        stream.writes(b"x" * 16 * limits.TURN_BYTES)
        await client.reads_what_is_there()
        assert client.view.position < session.output.head
        client.view._wake.clear()
        client.view.acked(client.offset)
        assert client.view._wake.is_set()
