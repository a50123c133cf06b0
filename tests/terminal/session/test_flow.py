"""A flood is read at full speed, nobody's view slows it, and an interrupt is seen at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from protocol import tty
from protocol.execution import Exited
from protocol.size import Size
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from tests.terminal.session.fakes import BOB, FakeStream, silent
from tests.terminal.session.world import Client, World

KIB = 1024
MIB = 1024 * KIB
YES = b"y\r\n" * 1365


async def flows(stream: FakeStream, count: int) -> None:
    """Return when the session has taken `count` bytes more."""
    until = stream.taken + count
    async with asyncio.timeout(60):
        while stream.taken < until:
            await asyncio.sleep(0.001)


async def fall_behind(client: Client, stream: FakeStream) -> None:
    """Let a client have 20 KiB on the way that it does not acknowledge."""
    await client.sees(b"$ ")
    client.acknowledges = False
    stream.writes(b"x" * 20 * KIB)
    await asyncio.sleep(0.1)
    await client.reads_what_is_there()
    assert client.view._window.in_flight


async def test_a_view_that_never_acknowledges_slows_nothing_and_costs_no_memory() -> None:
    async with World() as world:
        session = world.open()
        frozen = world.join(session)
        frozen.acknowledges = False
        stream = await world.cluster.stream()

        stream.floods(YES)
        await flows(stream, 64 * MIB)

        await frozen.reads_what_is_there()
        assert len(frozen.text) <= 32 * KIB
        assert session.output.head - session.output.tail <= limits.SCROLLBACK_BYTES
        assert len(frozen.view._control) == 0


async def test_a_view_that_comes_alive_again_is_given_the_screen_with_what_was_skipped() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await fall_behind(client, stream)
        stream.floods(YES)
        await flows(stream, 8 * MIB)
        await client.reads_what_is_there()
        needed = client.offset
        stream.floods(b"")
        stream.writes(b"done")
        await asyncio.sleep(0.1)

        client.acknowledges = True
        client.view.acked(client.offset)
        await client.is_told(tty.Resync)
        stream.writes(b" $ ")
        await client.sees(b" $ ")

        (resync,) = client.resyncs
        assert resync.reason == "lagging"
        assert needed + resync.skipped == resync.offset
        assert client.screens[0].data == b"screen@%d" % resync.offset


async def test_bytes_on_the_way_are_acknowledged_before_a_lagging_view_gets_its_screen() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await fall_behind(client, stream)
        stream.writes(b"y" * 4 * MIB)
        await asyncio.sleep(0.5)

        client.view.acked(client.offset - 1)
        await client.reads_what_is_there()
        assert not client.resyncs
        client.view.acked(client.offset)

        await client.is_told(tty.Resync)


async def test_one_screen_is_on_the_way_at_a_time() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await fall_behind(client, stream)
        stream.writes(b"x" * 4 * MIB)
        await asyncio.sleep(0.5)
        client.view.acked(client.offset)
        await client.is_told(tty.Resync)
        stream.writes(b"x" * 4 * MIB)
        await asyncio.sleep(0.5)

        await client.reads_what_is_there()
        assert len(client.resyncs) == 1
        client.view.acked(client.offset)
        await client.until(lambda: len(client.resyncs) == 2)


async def slow_line(
    client: Client, rate: float, round_trip: float, is_over: Callable[[], bool]
) -> None:
    """Read over a line of `rate` bytes a second until what makes `is_over` true was drawn.

    What the view hands out leaves at once into a queue in front of the line, as it does into the
    buffers of a socket.
    """
    loop = asyncio.get_running_loop()
    free_at = loop.time()
    client.acknowledges = False
    arrivals: list[tuple[float, int, bool]] = []
    while True:
        wait = arrivals[0][0] - loop.time() if arrivals else 1.0
        try:
            async with asyncio.timeout(max(wait, 0)):
                event = await client.view.next()
            before = len(client.resyncs)
            assert await client.take(event) is not None, client.view.close_code
            length = len(client.screens[-1].data) + 100 if len(client.resyncs) > before else 100
            if isinstance(event, tty.OutputFrame):
                length = len(event.data)
            free_at = max(free_at, loop.time()) + length / rate
            arrivals.append((free_at + round_trip, client.offset, is_over()))
        except TimeoutError:
            while arrivals and arrivals[0][0] <= loop.time():
                _, offset, is_last = arrivals.pop(0)
                if is_last:
                    return
                client.view.acked(offset)


@pytest.mark.parametrize("round_trip", [0.01, 0.05, 0.1])
async def test_after_ctrl_c_the_prompt_is_there_in_600_ms_on_a_slow_line(round_trip: float) -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        loop = asyncio.get_running_loop()
        interrupted_at = 0.0

        def on_input(data: bytes) -> None:
            # What API server, kubelet and runtime hold still comes, at full speed.
            stream.floods(b"")
            stream.writes(YES * 2000 + b"^C\r\nthe prompt $ ")

        stream.on_input = on_input

        async def person() -> None:
            nonlocal interrupted_at
            for _ in range(100):
                stream.writes(YES * 50)
                await asyncio.sleep(0.05)
            interrupted_at = loop.time()
            await asyncio.sleep(round_trip / 2)
            client.types(b"\x03")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(person())
            await slow_line(
                client,
                125_000,
                round_trip,
                lambda: interrupted_at > 0 and client.offset == stream.written,
            )

        # The last thing that the line simulation waits for is the acknowledgement's way back.
        assert loop.time() - round_trip / 2 - interrupted_at <= 0.6
        assert client.resyncs


async def test_an_interrupt_key_gives_a_view_that_is_behind_the_screen_at_once() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.acknowledges = False
        stream = await world.cluster.stream()
        stream.writes(b"x" * MIB)
        await asyncio.sleep(0.1)
        await client.reads_what_is_there()
        assert not client.resyncs

        client.types(b"\x03")
        await client.is_told(tty.Resync)

        assert client.resyncs[0].reason == "lagging"
        assert client.resyncs[0].offset > MIB


async def test_an_interrupt_key_at_the_prompt_skips_nothing() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        client.types(b"\x03")
        await client.sees(b"^C\r\n$ ")

        assert not client.resyncs


async def test_an_interrupt_key_in_a_paste_is_not_one() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.acknowledges = False
        (await world.cluster.stream()).writes(b"x" * MIB)
        await asyncio.sleep(0.1)

        client.types(b"some pasted text with a \x03 in it")
        await client.reads_what_is_there()

        assert not client.resyncs


async def test_an_interrupt_long_ago_does_not_let_a_view_skip_what_is_on_the_way() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.types(b"\x03")
        await client.sees(b"^C\r\n$ ")
        await asyncio.sleep(limits.INTERRUPT_SECONDS + 1)
        stream = await world.cluster.stream()
        await fall_behind(client, stream)
        stream.writes(b"x" * 4 * MIB)
        await asyncio.sleep(0.5)

        await client.reads_what_is_there()

        assert not client.resyncs


async def test_a_screen_that_lags_behind_the_view_does_not_take_it_back_in_time() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        screen = world.screens.screens[0]
        screen.is_held = True
        client.acknowledges = False
        stream = await world.cluster.stream()
        stream.writes(b"x" * MIB)
        await asyncio.sleep(0.1)
        await client.reads_what_is_there()

        client.types(b"\x03")
        await client.reads_what_is_there()
        assert not client.resyncs
        client.acknowledges = True
        client.view.acked(client.offset)
        await client.sees(b"^C\r\n$ ")

        assert client.offset == session.output.head


async def test_a_screen_that_is_further_behind_than_the_scrollback_is_waited_for() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        screen = world.screens.screens[0]
        screen.is_held = True
        client.acknowledges = False
        stream = await world.cluster.stream()
        stream.writes(b"x" * 100 * KIB)
        await client.reads_what_is_there()
        stream.writes(b"y" * 2560 * KIB)
        await asyncio.sleep(0.1)
        client.acknowledges = True
        client.view.acked(client.offset)
        await client.reads_what_is_there()
        assert not client.resyncs

        screen.consume(screen.backlog)

        await client.is_told(tty.Resync)
        assert client.offset == session.output.head


async def test_a_screen_that_is_not_available_is_asked_for_twice_a_second() -> None:
    async with World() as world:
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        await asyncio.sleep(0.5)
        screen = world.screens.screens[0]
        screen.is_available = False
        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)

        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(viewer.is_told(tty.Resync))
            for _ in range(100):
                await asyncio.sleep(0.05)
                stream.writes(b"x")
            assert 9 <= screen.snapshots <= 12
            assert not waiting.done()
            screen.is_available = True
            await waiting


async def test_who_lagged_to_the_end_is_told_it_although_there_is_no_screen() -> None:
    async with World() as world:
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        await asyncio.sleep(0.5)
        world.screens.screens[0].is_available = False
        client = world.join(session)
        stream.ends(Exited(0))

        ended = await client.sees_the_end()

        assert ended.reason == "exited"
        assert not client.resyncs


async def test_a_view_that_leaves_while_it_waits_for_a_screen_leaves_no_timer() -> None:
    async with World() as world:
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        await asyncio.sleep(0.5)
        world.screens.screens[0].is_available = False
        client = world.join(session)
        await client.reads_what_is_there()
        client.types(b"x")
        await asyncio.sleep(0.01)

        timers = (client.view._input_timer, client.view._retry_timer)

        client.leaves()

        assert [timer is not None and timer.cancelled() for timer in timers] == [True, True]
        assert await client.view.next() is None


async def test_reading_that_is_cancelled_while_the_screen_is_drawn_loses_nothing() -> None:
    async with World() as world:
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        await asyncio.sleep(0.5)
        client = world.join(session)
        await client.until(lambda: bool(client.told(tty.People)))
        screen = world.screens.screens[0]

        for _ in range(3):
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(client.view.next())
                asked = screen.snapshots
                while screen.snapshots == asked:
                    await asyncio.sleep(0)
                reading.cancel()

        await client.is_told(tty.Resync)
        assert client.offset == session.output.head


async def test_a_view_that_is_closed_while_the_screen_is_drawn_is_told_why_once() -> None:
    async with World() as world:
        session = world.open()
        (await world.cluster.stream()).writes(b"x" * 3 * MIB)
        await asyncio.sleep(0.5)
        client = world.join(session)
        await client.until(lambda: bool(client.told(tty.People)))
        screen = world.screens.screens[0]

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(client.read())
            asked = screen.snapshots
            while screen.snapshots == asked:
                await asyncio.sleep(0)
            session.end(Ending(EndReason.TERMINATED, "Ended."))
            client.view.close(client.view.close_code)
            await reading

        assert client.is_closed
        assert not client.told(tty.Resync)


# The screen model and the reader


async def test_a_flood_that_the_screen_cannot_follow_is_slowed_to_its_speed() -> None:
    async with World() as world:
        world.open()
        stream = await world.cluster.stream()
        await asyncio.sleep(0.1)
        screen = world.screens.screens[0]
        screen.is_held = True
        stream.floods(YES)
        await asyncio.sleep(1)

        taken = stream.taken
        await asyncio.sleep(1)
        assert stream.taken == taken
        assert screen.backlog <= limits.SCREEN_BACKLOG_BYTES + limits.TURN_BYTES + len(YES)
        screen.consume(MIB)
        await asyncio.sleep(1)

        assert stream.taken >= taken + MIB - limits.TURN_BYTES
        assert screen.most_backlog <= limits.SCREEN_BACKLOG_BYTES + limits.TURN_BYTES + len(YES)


async def test_an_interrupt_key_lifts_the_slowing_down_at_once_and_within_bounds() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        await client.sees(b"$ ")
        screen = world.screens.screens[0]
        screen.is_held = True
        stream.on_input = lambda data: None
        stream.floods(YES)
        await asyncio.sleep(1)
        before = stream.taken

        client.types(b"\x03")
        await asyncio.sleep(0.4)

        assert stream.taken >= before + 16 * MIB
        await asyncio.sleep(10)
        most = limits.SCREEN_BACKLOG_INTERRUPTED_BYTES + limits.TURN_BYTES + len(YES)
        assert screen.most_backlog <= most
        screen.is_held = False
        screen.consume(20 * MIB)
        await asyncio.sleep(0.01)
        stream.floods(b"")


async def test_sessions_take_turns() -> None:
    async with World() as world:
        floods = [world.open() for _ in range(3)]
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        for number in range(len(floods)):
            # All of it is there already: nothing but the turns makes room for the others.
            (await world.cluster.stream(number)).writes(b"y" * 32 * MIB)

        client.types(b"hello")
        await client.sees(b"hello")

        taken = sum(flood.bytes_out for flood in floods)
        assert taken <= 10 * len(floods) * limits.TURN_BYTES


async def test_what_is_ready_is_sent_together_and_nothing_is_waited_for() -> None:
    async with World() as world:
        world.cluster.plays(silent)
        session = world.open(Size(80, 24))
        client = world.join(session)
        await client.is_told(tty.StateChanged)
        stream = await world.cluster.stream()
        loop = asyncio.get_running_loop()

        before = loop.time()
        stream.writes(b"x" * 1000, piece=10)
        await client.sees(b"x" * 1000)

        assert loop.time() == before
        assert len(client.told(tty.OutputFrame)) == 1
