"""What a dead host leaves behind is closed and ended by the next one."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from terminal import hosting
from terminal.models import Host, TerminalSession
from terminal.session.ports import Reaped
from terminal.wiring import Unavailable
from tests.terminal.site import serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _beat_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "HEARTBEAT_SECONDS", 0.02)


async def _left_behind(host: str) -> TerminalSession:
    return await TerminalSession.objects.acreate(
        username="alice",
        cluster_user="alice",
        cluster_groups=["team-a"],
        cluster="demo",
        namespace="shop",
        pod="web-0",
        container="web",
        pod_uid="pod-1",
        kind="exec",
        shell="auto",
        marker="f" * 32,
        host=host,
        state="live",
        started=timezone.now(),
    )


async def _host(name: str, *, pid: int, machine: str, silent: timedelta) -> None:
    now = timezone.now()
    await Host.objects.acreate(
        name=name, machine=machine, pid=pid, started=now - silent, seen=now - silent
    )


async def _reaped(session: TerminalSession) -> TerminalSession:
    async with asyncio.timeout(20):
        while not session.reaped:
            await asyncio.sleep(0.01)
            await session.arefresh_from_db()
    return session


async def test_sessions_of_a_killed_server_are_closed_and_their_processes_ended() -> None:
    await _host("dead", pid=2**22 + 1, machine=socket.gethostname(), silent=timedelta())
    left = await _left_behind("dead")
    async with serving() as site:
        site.reaper.answer = Reaped(2, 0)
        row = await _reaped(left)

        assert (row.state, row.end_reason) == ("ended", "server_lost")
        assert site.reaper.markers == ["f" * 32]
        assert row.processes_left == 0


async def test_a_silent_host_on_another_machine_counts_as_dead() -> None:
    await _host("gone", pid=1, machine="elsewhere", silent=timedelta(minutes=2))
    left = await _left_behind("gone")
    async with serving():
        assert (await _reaped(left)).end_reason == "server_lost"


async def test_sessions_of_a_living_host_are_left_alone() -> None:
    await _host("alive", pid=1, machine="elsewhere", silent=timedelta(seconds=5))
    left = await _left_behind("alive")
    dead = await _left_behind("never heard of")
    async with serving() as site:
        await _reaped(dead)
        await left.arefresh_from_db()

        assert left.state == "live"
        assert len(site.reaper.markers) == 1


async def test_a_session_of_its_own_that_nobody_holds_is_closed() -> None:
    forgotten, opening = await _left_behind("test-host"), await _left_behind("test-host")
    forgotten.started = timezone.now() - timedelta(minutes=2)
    await forgotten.asave()
    async with serving() as site:
        row = await _reaped(forgotten)
        await opening.arefresh_from_db()

        assert (row.state, row.end_reason) == ("ended", "failed")
        assert opening.state == "live"
        assert len(site.reaper.markers) == 1


async def test_processes_that_could_not_be_ended_are_tried_again() -> None:
    left = await _left_behind("never heard of")
    async with serving() as site:
        site.reaper.answer = Reaped(0, 0, guaranteed=False, note="the cluster is away")
        async with asyncio.timeout(20):
            while left.state != "ended":
                await asyncio.sleep(0.01)
                await left.arefresh_from_db()
        assert not left.reaped
        site.reaper.answer = Reaped(1, 0)
        left.ended = timezone.now() - timedelta(minutes=1)
        await left.asave()

        await _reaped(left)


async def test_there_is_no_host_before_and_after_serving() -> None:
    async with serving() as site:
        assert site.hosting.host() is not None
        assert await Host.objects.filter(name="test-host").aexists()

    with pytest.raises(Unavailable):
        site.hosting.host()
    assert not await Host.objects.filter(name="test-host").aexists()
