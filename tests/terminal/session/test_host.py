"""The host keeps sessions apart, ends them when it must, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import tracemalloc

import pytest

from protocol.close import CloseCode
from protocol.execution import (
    ExecResult,
    Exited,
    Lost,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.size import Size
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from terminal.session.host import SessionHost, ShuttingDown
from terminal.session.limits import Limits
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped
from tests.terminal.session.fakes import (
    BOB,
    SIZE,
    FakeCluster,
    FakeEffort,
    FakeLedger,
    FakeReaper,
    FakeScreens,
    FakeSentinel,
)
from tests.terminal.session.world import World, attach_spec, exec_spec

KIB = 1024


async def test_a_session_is_found_by_its_id_while_it_lives_and_lingers() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        assert world.host.get(session.spec.id) is session
        assert len(world.host) == 1
        client.types(b"exit\r")
        await client.sees_the_end()
        client.leaves()

        assert len(world.host) == 0
        assert list(world.host.sessions()) == [session]
        await asyncio.sleep(limits.LINGER_SECONDS + 5)

        assert world.host.get(session.spec.id) is None
        assert world.screens.screens[0].is_closed


async def test_who_returns_to_an_ended_session_gets_its_last_bytes_and_why() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.leaves()
        stream = await world.cluster.stream()
        stream.writes(b"last words\r\n")
        stream.ends(Exited(3))
        await world.ended(session)

        again = world.join(session, offset=client.offset)
        ended = await again.sees_the_end()

        assert again.text == b"last words\r\n"
        assert (again.welcome.state, again.welcome.role) == ("ended", "viewer")
        assert (ended.reason, ended.exit_code) == ("exited", 3)


async def test_a_view_that_reads_nothing_is_closed_when_the_session_has_lingered() -> None:
    async with World() as world:
        session = world.open()
        frozen = world.join(session)
        frozen.acknowledges = False
        stream = await world.cluster.stream()
        stream.writes(b"x" * 1000 * KIB)
        await asyncio.sleep(0.1)
        stream.ends(Exited(0))

        ended = await frozen.sees_the_end()

        assert ended.reason == "exited"
        assert frozen.offset < session.output.head
        assert world.host.get(session.spec.id) is None


async def test_closing_the_host_ends_every_session_and_reaps_and_records_it() -> None:
    async with World() as world:
        sessions = [world.open() for _ in range(5)]
        clients = [world.join(session) for session in sessions]
        for client in clients:
            await client.sees(b"$ ")

        world.host.close()
        endings = [await client.sees_the_end() for client in clients]
        await world.running

        assert {ended.reason for ended in endings} == {"server_drain"}
        assert len(world.reaper.markers) == 5
        assert set(world.ledger.endings) == {session.spec.id for session in sessions}
        assert world.cluster.open_streams == 0
        assert not list(world.host.sessions())
        with pytest.raises(ShuttingDown):
            world.open()


async def test_a_view_that_does_not_read_holds_up_a_shutdown_for_two_seconds_only() -> None:
    async with World() as world:
        frozen = world.join(world.open())
        await frozen.sees(b"$ ")
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()

        world.host.close()
        await world.running

        assert loop.time() - before <= limits.CLOSE_SECONDS + 1
        assert (await frozen.sees_the_end()).reason == "server_drain"


async def test_cancelling_the_host_closes_every_view() -> None:
    async with World() as world:
        client = world.join(world.open())
        await client.sees(b"$ ")

        world.running.cancel()
        while not client.is_closed:
            await client.read()

        assert client.view.close_code is CloseCode.SHUTTING_DOWN
        assert not list(world.host.sessions())


async def test_a_host_that_does_not_run_takes_no_session() -> None:
    host = SessionHost(
        backend=FakeCluster(),
        reaper=FakeReaper(),
        ledger=FakeLedger(),
        sentinel=FakeSentinel(),
        screens=FakeScreens(),
        effort=FakeEffort(),
        session_limits=Limits(),
    )

    with pytest.raises(ShuttingDown) as refused:
        host.open(exec_spec(), SIZE)

    assert refused.value.close_code is CloseCode.SHUTTING_DOWN


# The guard


async def test_a_verdict_ends_that_session_within_two_seconds() -> None:
    async with World() as world:
        session, other = world.open(), world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        ending = Ending(EndReason.REVOKED, "You signed out.", data={"why": "signed_out"})
        world.sentinel.endings = {session.spec.id: ending, exec_spec().id: ending}

        ended = await client.sees_the_end()

        assert (ended.reason, ended.data["why"]) == ("revoked", "signed_out")
        assert client.view.close_code is CloseCode.SIGNED_OUT
        assert loop.time() - before <= 2
        assert other.ending is None


async def test_the_guard_asks_nothing_while_there_is_no_session() -> None:
    async with World() as world:
        await asyncio.sleep(60)

        assert world.sentinel.rounds == 0


async def test_a_guard_that_fails_is_logged_and_tries_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        world.sentinel.error = RuntimeError("no database")
        await asyncio.sleep(5)
        assert session.ending is None
        world.sentinel.error = None
        world.sentinel.endings = {session.spec.id: Ending(EndReason.TERMINATED, "Ended.")}

        assert (await client.sees_the_end()).reason == "terminated"
        assert "could not check 1 sessions" in caplog.text


# Failing neighbours


@pytest.mark.parametrize("is_stuck", [False, True], ids=["fails", "hangs"])
async def test_a_ledger_that_fails_or_hangs_ends_no_session_and_delays_no_prompt(
    is_stuck: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with World() as world:
        world.ledger.is_stuck = is_stuck
        world.ledger.error = RuntimeError("no database")
        sessions = [world.open() for _ in range(3)]
        clients = [world.join(session) for session in sessions]
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for client in clients:
            await client.sees(b"$ ")
        assert loop.time() - before < 1

        clients[0].types(b"exit\r")
        await clients[0].sees_the_end()
        await world.ended(sessions[0])
        await asyncio.sleep(60)

        assert sessions[1].ending is None
        assert "was not recorded" in caplog.text


@pytest.mark.parametrize("is_stuck", [False, True], ids=["fails", "hangs"])
async def test_a_reaper_that_fails_or_hangs_is_noted_and_ends_no_other_session(
    is_stuck: bool,
) -> None:
    async with World() as world:
        world.reaper.is_stuck = is_stuck
        world.reaper.error = RuntimeError("a bug")
        session, other = world.open(), world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        client.types(b"exit\r")
        assert (await client.sees_the_end()).reason == "exited"
        _, reaped = await world.ended(session)

        assert reaped is not None
        assert not reaped.guaranteed
        assert reaped.note
        assert other.ending is None


async def test_a_session_object_that_breaks_is_logged_and_harms_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with World() as world:
        other = world.open()
        await world.join(other).sees(b"$ ")

        async def breaks(self: LiveSession) -> Ending:
            raise RuntimeError("a bug in the core")

        monkeypatch.setattr(LiveSession, "run", breaks)
        session = world.open()
        client = world.join(session)
        while not client.is_closed:
            await client.read()

        assert world.host.get(session.spec.id) is None
        assert world.host.get(other.spec.id) is other
        assert "a bug in the core" in caplog.text


async def test_the_ledger_is_told_once_that_a_session_is_live_and_once_that_it_ended() -> None:
    async with World() as world:
        for _ in range(3):
            session = world.open()
            client = world.join(session)
            await client.sees(b"$ ")
            client.types(b"exit\r")
            await client.sees_the_end()
            await world.ended(session)
            entries = [what for what, id in world.ledger.entries if id == session.spec.id]
            assert entries == ["live", "ended"]


# Nothing is left


async def test_after_500_sessions_and_every_way_to_die_nothing_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A log record of a failure holds the whole session.
    caplog.set_level(logging.CRITICAL, "terminal.session")
    chance = random.Random(7)
    results: list[ExecResult] = [
        Exited(0), Exited(137), Success(True), Success(False), Lost("reset"),
        StartFailed(StartFailure.OTHER, "other"),
    ]  # fmt: skip
    ways = ["result", "end", "detach", "refused", "frozen", "verdict", "gone", "bug", "unopened"]
    async with World(Limits(detach_grace_seconds=3, open_seconds=5)) as world:
        await asyncio.sleep(5)
        tasks_before = len(asyncio.all_tasks())
        for cycle in range(500):
            way = ways[cycle % len(ways)]
            world.cluster = fresh = FakeCluster()
            world.host._backend = fresh
            world.reaper.answer = Reaped(1, 0, leader_alive=chance.random() < 0.3)
            if way == "refused":
                fresh.plays(Refused(Refusal.FORBIDDEN, "No."))
            if way == "bug":
                fresh.plays(RuntimeError("a bug"))
            if way == "unopened":
                fresh.answers.clear()
            session = world.open(spec=attach_spec() if chance.random() < 0.2 else exec_spec())
            client = world.join(session)
            viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)
            for step in range(20):
                session.resize(client.view, Size(80 + step, 24))
                if session.input_enabled and session.ending is None and not client.view.is_closing:
                    client.types(b"x")
                if step % 5 == 0:
                    await asyncio.sleep(chance.random() * 0.1)
            stream = fresh.streams[0] if fresh.streams else None
            if way == "frozen" and stream is not None:
                stream.takes_input.clear()
                stream.floods(b"y\n" * 2000)
                session.end(Ending(EndReason.IDLE, "Idle."))
            if way == "verdict":
                world.sentinel.endings = {session.spec.id: Ending(EndReason.TERMINATED, "Ended.")}
            if way == "gone":
                fresh.loses_the_pod()
            if way == "end":
                session.end(Ending(EndReason.CLOSED_BY_OWNER, "Closed."))
            if way == "result" and stream is not None:
                stream.ends(results[cycle % len(results)])
            if way == "detach":
                client.leaves()
            await world.ended(session)
            client.leaves()
            viewer.leaves()
            world.sentinel.endings = {}
        await asyncio.sleep(limits.LINGER_SECONDS + 10)
        gc.collect()

        assert len(asyncio.all_tasks()) == tasks_before
        assert not list(world.host.sessions())
        assert all(screen.is_closed for screen in world.screens.screens)
        assert len(world.ledger.endings) == 500
        left = [each for each in gc.get_objects() if isinstance(each, LiveSession)]
        assert len(left) <= 3


async def test_an_idle_session_costs_little() -> None:
    async with World() as world:
        first = world.open()
        await world.join(first).sees(b"$ ")
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            sessions = []
            for number in range(50):
                session = world.open()
                client = world.join(session, f"client-{number}")
                await client.sees(b"$ ")
                client.events.clear()
                sessions.append((session, client))
            await asyncio.sleep(1)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        # The fakes and the test's own client are in it too.
        assert (after - before) / 50 < 32 * KIB
