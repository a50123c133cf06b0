"""Sockets of sessions: opening, typing, coming back, and what is refused."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from access.audit import EventTag
from access.models import AuditEvent
from access.tickets import MADE_PURPOSE, aissue
from terminal import lifecycle
from terminal.models import Participant, TerminalSession
from terminal.session.limits import Limits
from tests.terminal.session.fakes import TARGET, silent
from tests.terminal.site import TARGET_BODY, Person, Socket, give, serving

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = {"type": "hello", "client": "client-2", "cols": 80, "rows": 24, "offset": None}


async def _alice(*actions: str) -> Person:
    user = await User.objects.acreate_user("alice", password="a long pass phrase")
    await give(user, *(actions or ("exec", "attach")))
    return await Person(user).signs_in()


async def _row(session_id: str) -> TerminalSession:
    return await TerminalSession.objects.aget(id=UUID(session_id))


async def _ended(session_id: str) -> TerminalSession:
    async with asyncio.timeout(20):
        while (row := await _row(session_id)).state != "ended":
            await asyncio.sleep(0.02)
    return row


async def test_a_shell_is_opened_typed_in_and_its_end_is_on_record() -> None:
    async with serving() as site:
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")
        await socket.types(b"exit\r")

        assert await socket.is_closed() == 1000

        ended = socket.told("ended")[0]
        assert (ended["reason"], ended["exit_code"]) == ("exited", 0)
        row = await _ended(socket.told("welcome")[0]["session"])
        assert (row.username, row.cluster_user, row.pod_uid) == ("alice", "alice", "pod-1")
        assert (row.end_reason, row.exit_code, row.shell) == ("exited", 0, "auto")
        assert (row.bytes_in, row.bytes_out) == (5, len(socket.output))
        assert row.reaped
        assert site.reaper.markers == [row.marker]
        tags = [event.tag async for event in AuditEvent.objects.order_by("time")]
        assert tags[-2:] == ["terminal:session:start", "terminal:session:end"]
        participant = await Participant.objects.aget(session=row)
        assert (participant.username, participant.role) == ("alice", "owner")
        assert participant.left is not None


async def test_the_session_outlives_its_socket_and_goes_on_at_the_same_byte() -> None:
    async with serving() as site:
        alice = await _alice()
        first = await alice.opens()
        await first.sees(b"$ ")
        session = first.told("welcome")[0]["session"]
        seen = len(first.output)
        await first.leaves()
        stream = await site.cluster.stream()
        stream.writes(b"while you were away")

        answer = await alice.ticket(session=session)
        second = await alice.socket(answer["ticket"])
        await second.hello(offset=seen)
        await second.sees(b"while you were away")

        assert bytes(second.output) == b"while you were away"
        assert len(site.cluster.streams) == 1
        await second.tells({"type": "end"})
        await second.is_closed()


async def test_a_ticket_opens_one_socket_only() -> None:
    async with serving():
        alice = await _alice()
        answer = await alice.ticket()

        first, second = await asyncio.gather(
            alice.socket(answer["ticket"]), alice.socket(answer["ticket"])
        )

        assert sorted([first.is_open, second.is_open]) == [False, True]


async def test_a_ticket_of_another_person_opens_nothing() -> None:
    async with serving() as site:
        alice = await _alice()
        bob = await Person(
            await User.objects.acreate_user("bob", password="a long pass phrase")
        ).signs_in()
        answer = await alice.ticket()

        socket = await bob.socket(answer["ticket"])

        assert not socket.is_open
        assert site.cluster.requests == []


async def test_a_bad_frame_closes_the_socket_and_leaves_the_session() -> None:
    async with serving() as site:
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")

        await socket._communicator.send_to(bytes_data=b"\x07not ours")

        assert await socket.is_closed() == 4400
        assert socket.told("error")[0]["code"] == "bad_frame"
        session = socket.told("welcome")[0]["session"]
        assert (await _row(session)).state == "live"
        assert site.cluster.open_streams == 1


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ack", "offset": 10},
        {"type": "resize", "cols": 80, "rows": 24},
        {"type": "take"},
        {"type": "nonsense"},
    ],
)
async def test_nothing_but_hello_comes_first(frame: dict[str, object]) -> None:
    async with serving() as site:
        alice = await _alice()
        answer = await alice.ticket()
        socket = await alice.socket(answer["ticket"])

        await socket.tells(frame)

        assert await socket.is_closed() == 4400
        assert site.cluster.requests == []


async def test_a_newer_tab_takes_over_and_the_older_one_cannot_type() -> None:
    async with serving() as site:
        alice = await _alice()
        old = await alice.opens()
        await old.sees(b"$ ")
        session = old.told("welcome")[0]["session"]
        answer = await alice.ticket(session=session)
        new = await alice.socket(answer["ticket"])
        await new.hello(client="client-2")
        await old.until(lambda: bool(old.told("role")))
        stream = await site.cluster.stream()

        await old.types(b"from the old tab")
        await new.types(b"from the new tab")
        await new.sees(b"from the new tab")

        assert old.told("role")[0] == {
            "type": "role",
            "role": "viewer",
            "epoch": 2,
            "reason": "replaced",
            "input": 0,
        }
        assert stream.stdin == b"from the new tab"


async def _proof(person: Person, target: str) -> str:
    key = person.http.session.session_key
    return await aissue(person.user, str(key), MADE_PURPOSE, {"target": target})


async def test_who_has_just_made_a_container_may_type_in_it_once_without_being_asked() -> None:
    async with serving() as site:
        site.cluster.pod = replace(site.cluster.pod, container_stdin=True)
        site.cluster.plays(silent)
        alice = await _alice()
        proof = await _proof(alice, str(TARGET))

        first = await alice.opens(target=TARGET_BODY, kind="attach", made=proof)
        second = await alice.opens(target=TARGET_BODY, kind="attach", made=proof)
        await first.types(b"ls\r")
        await first.until(lambda: bool(first.told("input")))

        assert first.told("welcome")[0]["input_enabled"]
        assert bytes((await site.cluster.stream()).stdin) == b"ls\r"
        assert not second.told("welcome")[0]["input_enabled"]
        enabled = AuditEvent.objects.filter(tag=EventTag.INPUT_ENABLE.value)
        assert [str(event.session_id) async for event in enabled] == [
            first.told("welcome")[0]["session"]
        ]
        for socket in (first, second):
            await socket.tells({"type": "end"})
            await socket.is_closed()


@pytest.mark.parametrize("whose", ["another container", "another person", "nobody"])
async def test_the_proof_of_something_else_leaves_an_attach_read_only(whose: str) -> None:
    async with serving() as site:
        site.cluster.pod = replace(site.cluster.pod, container_stdin=True)
        site.cluster.plays(silent)
        alice = await _alice()
        proof = "made-up"
        if whose == "another container":
            proof = await _proof(alice, f"{TARGET.cluster}/{TARGET.namespace}/{TARGET.pod}/other")
        elif whose == "another person":
            bob = await User.objects.acreate_user("bob", password="a long pass phrase")
            proof = await _proof(await Person(bob).signs_in(), str(TARGET))

        socket = await alice.opens(target=TARGET_BODY, kind="attach", made=proof)

        assert not socket.told("welcome")[0]["input_enabled"]
        await socket.tells({"type": "end"})
        await socket.is_closed()


async def test_attached_input_is_dropped_until_it_is_enabled_and_that_is_audited() -> None:
    async with serving() as site:
        alice = await _alice()
        socket = await alice.opens(
            target={"cluster": "demo", "namespace": "shop", "pod": "web-0", "container": "web"},
            kind="attach",
        )
        await socket.sees(b"$ ")
        await socket.types(b"x")
        await socket.until(lambda: bool(socket.told("error")))
        stream = await site.cluster.stream()
        assert stream.stdin == b""

        await socket.tells({"type": "enable_input"})
        await socket.until(lambda: bool(socket.told("input_enabled")))
        socket.typed = 0
        await socket.types(b"y")
        await socket.sees(b"y")

        assert stream.stdin == b"y"
        assert await AuditEvent.objects.filter(tag="terminal:input:enable").aexists()


async def test_nobody_coming_back_ends_the_session() -> None:
    async with serving(Limits(detach_grace_seconds=0.2)) as site:
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")
        await socket.leaves()

        row = await _ended(socket.told("welcome")[0]["session"])

        assert row.end_reason == "detached"
        assert site.cluster.open_streams == 0


async def test_shutting_down_ends_sessions_and_what_they_started() -> None:
    async with serving() as site:
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")
        session = socket.told("welcome")[0]["session"]

    row = await _row(session)
    assert (row.state, row.end_reason) == ("ended", "server_drain")
    assert site.reaper.markers == [row.marker]


async def test_a_person_has_only_so_many_sessions() -> None:
    async with serving() as site:
        site.cluster.plays(silent)
        alice = await _alice()
        sockets: list[Socket] = [await alice.opens() for _ in range(3)]

        answer = await alice.ticket()

        assert (answer["status"], answer["error"]["code"]) == (429, "too_many")
        assert len(sockets) == 3


async def test_without_a_record_no_session_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as site:
        alice = await _alice()
        answer = await alice.ticket()
        socket = await alice.socket(answer["ticket"])
        monkeypatch.setattr(lifecycle, "join", _away)

        await socket.tells(HELLO)

        assert await socket.is_closed() == 4500
        assert socket.told("error")[0]["code"] == "unavailable"
        assert not socket.told("welcome")
        assert site.cluster.requests == []
        assert not await TerminalSession.objects.aexists()


async def test_who_comes_back_without_a_record_takes_nothing_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving():
        alice = await _alice()
        first = await alice.opens()
        await first.sees(b"$ ")
        answer = await alice.ticket(session=first.told("welcome")[0]["session"])
        second = await alice.socket(answer["ticket"])
        monkeypatch.setattr(lifecycle, "join", _away)

        await second.tells(HELLO)

        assert await second.is_closed() == 4500
        assert second.told("error")[0]["code"] == "unavailable"
        await first.types(b"mine")
        await first.sees(b"mine")
        assert not first.told("role")


async def test_a_departure_that_cannot_be_noted_changes_no_farewell(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving():
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")
        monkeypatch.setattr(lifecycle, "leave", _away)

        await socket.types(b"exit\r")

        assert await socket.is_closed() == 1000
        assert "was not noted" in caplog.text
        row = await _ended(socket.told("welcome")[0]["session"])
        assert (await Participant.objects.aget(session=row)).left is not None


def _away(*_: object, **__: object) -> None:
    raise OperationalError("connection refused")


async def test_input_frames_are_numbered_and_a_gap_closes_the_socket() -> None:
    async with serving() as site:
        alice = await _alice()
        socket = await alice.opens()
        await socket.sees(b"$ ")
        for offset, data in ((0, b"ab"), (0, b"ab"), (1, b"bc")):
            await socket._communicator.send_to(bytes_data=struct.pack(">BQ", 0, offset) + data)
        await socket.sees(b"abc")
        stream = await site.cluster.stream()
        assert stream.stdin == b"abc"

        await socket._communicator.send_to(bytes_data=struct.pack(">BQ", 0, 9) + b"z")

        assert await socket.is_closed() == 4400
        assert socket.told("error")[0]["code"] == "input_gap"
