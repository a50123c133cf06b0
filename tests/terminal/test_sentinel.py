"""Rights that end while a session lives end the session."""

from __future__ import annotations

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from access.cluster_rights import Verdict
from access.models import Grant
from terminal import consumers, lifecycle, sentinel
from terminal.models import TerminalSession
from terminal.session.ending import EndReason
from tests.terminal.site import Person, Socket, give, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terminal.session.limits.GUARD_SECONDS", 0.02)
    monkeypatch.setattr(sentinel, "REVOCATION_SECONDS", 0.02)
    monkeypatch.setattr(sentinel, "RIGHTS_SECONDS", 0.02)
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.02)


async def _typing() -> tuple[Person, Socket]:
    user = await User.objects.acreate_user("alice", password="a long pass phrase")
    await give(user, "exec")
    alice = await Person(user).signs_in()
    socket = await alice.opens()
    await socket.sees(b"$ ")
    return alice, socket


async def _is_revoked(socket: Socket, why: str) -> None:
    code = await socket.is_closed()
    ended = socket.told("ended")[0]
    assert (ended["reason"], ended["data"]["why"]) == ("revoked", why)
    assert code == (4401 if why == "signed_out" else 4403)


async def test_signing_out_ends_the_shell() -> None:
    async with serving() as site:
        _, socket = await _typing()
        await Session.objects.all().adelete()

        await _is_revoked(socket, "signed_out")
        async with asyncio.timeout(20):
            while site.cluster.open_streams:
                await asyncio.sleep(0.01)


async def test_disabling_the_account_ends_the_shell() -> None:
    async with serving():
        _, socket = await _typing()
        await User.objects.filter(username="alice").aupdate(is_active=False)

        await _is_revoked(socket, "disabled")


async def test_changing_the_password_ends_the_shell() -> None:
    async with serving():
        alice, socket = await _typing()
        alice.user.set_password("another long phrase")
        await alice.user.asave()

        await _is_revoked(socket, "password_changed")


async def test_removing_the_grant_ends_the_shell() -> None:
    async with serving():
        _, socket = await _typing()
        await Grant.objects.all().adelete()

        await _is_revoked(socket, "grant_gone")


async def test_losing_the_right_in_the_cluster_ends_the_shell() -> None:
    async with serving() as site:
        _, socket = await _typing()
        site.rights.verdict = Verdict(False, "get on pods/exec is missing")

        await _is_revoked(socket, "cluster_rights")


async def test_a_request_written_by_another_process_ends_the_session() -> None:
    async with serving():
        _, socket = await _typing()
        row = await TerminalSession.objects.aget()
        asked = await database_sync_to_async(lifecycle.request_end)(
            row, by="admin", reason=EndReason.TERMINATED, note="enough"
        )

        assert asked
        await socket.is_closed()
        ended = socket.told("ended")[0]
        assert (ended["reason"], ended["data"]["by"]) == ("terminated", "admin")


async def test_nothing_ends_while_everything_is_in_order() -> None:
    async with serving() as site:
        _, socket = await _typing()
        asked = len(site.rights.asked)
        async with asyncio.timeout(20):
            while len(site.rights.asked) < asked + 3:
                await asyncio.sleep(0.01)

        await socket.types(b"still here")
        await socket.sees(b"still here")


async def test_a_cluster_that_does_not_answer_neither_ends_sessions_nor_delays_log_outs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sentinel, "RIGHTS_ANSWER_SECONDS", 0.05)
    async with serving() as site:
        _, socket = await _typing()
        asked = asyncio.Event()

        async def never(*_: object, **__: object) -> Verdict:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr(site.rights, "may", never)
        await asyncio.wait_for(asked.wait(), 20)
        await socket.types(b"still here")
        await socket.sees(b"still here")
        await Session.objects.all().adelete()

        await _is_revoked(socket, "signed_out")


async def _looking_on(socket: Socket, **where: str) -> tuple[Person, Socket]:
    user = await User.objects.acreate_user("vera", password="a long pass phrase")
    await give(user, "view", **where)
    vera = await Person(user).signs_in()
    viewer = await vera.opens(session=socket.told("welcome")[0]["session"], role="viewer")
    await viewer.sees(b"$ ")
    return vera, viewer


async def _goes_on(socket: Socket) -> None:
    await socket.types(b"still here\r")
    await socket.sees(b"still here")


async def test_a_viewer_whose_grant_is_removed_sees_no_more() -> None:
    async with serving():
        _, owner = await _typing()
        _, viewer = await _looking_on(owner)
        await Grant.objects.filter(user__username="vera").adelete()

        assert await viewer.is_closed() == 4403
        assert viewer.told("error")[0]["data"]["why"] == "grant_gone"
        await _goes_on(owner)


async def test_a_viewer_who_signs_out_sees_no_more() -> None:
    async with serving():
        _, owner = await _typing()
        vera, viewer = await _looking_on(owner)
        await vera.http.alogout()

        assert await viewer.is_closed() == 4401
        await _goes_on(owner)


async def test_a_viewer_whose_account_is_disabled_sees_no_more() -> None:
    async with serving():
        _, owner = await _typing()
        _, viewer = await _looking_on(owner)
        await User.objects.filter(username="vera").aupdate(is_active=False)

        assert await viewer.is_closed() == 4403
        await _goes_on(owner)


async def test_a_viewer_stays_while_everything_is_in_order() -> None:
    async with serving():
        _, owner = await _typing()
        _, viewer = await _looking_on(owner, labels="!legacy")

        await asyncio.sleep(0.2)
        await owner.types(b"ls\r")
        await viewer.sees(b"ls")
