"""Tickets and sessions over HTTP: who gets what, and with which words others are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from access.cluster_rights import Verdict
from access.models import AuditEvent
from protocol.execution import Refusal, Refused
from terminal.models import TerminalSession
from tests.terminal.site import ORIGIN, TARGET_BODY, Person, give, serving

pytestmark = pytest.mark.django_db(transaction=True)


async def _person(name: str, *actions: str, **where: str) -> Person:
    user = await User.objects.acreate_user(name, password="a long pass phrase")
    if actions:
        await give(user, *actions, **where)
    return await Person(user).signs_in()


async def test_without_a_grant_the_cluster_is_not_even_asked() -> None:
    async with serving() as site:
        charlie = await _person("charlie")

        answer = await charlie.ticket()

        assert (answer["status"], answer["error"]["code"]) == (403, "forbidden")
        assert site.cluster.inspections == 0
        assert site.rights.asked == []
        event = await AuditEvent.objects.aget(tag="access:action:refuse")
        assert (event.username, event.pod) == ("charlie", "web-0")


async def test_a_refusal_names_the_action_and_whom_to_ask() -> None:
    async with serving():
        bob = await _person("bob", "view")

        answer = await bob.ticket()

        assert answer["error"]["data"]["action"] == "exec"
        assert answer["error"]["data"]["owner"] == "the team lead"


@pytest.mark.parametrize(
    "where",
    [
        {"cluster": "other"},
        {"namespaces": "vault"},
        {"containers": "sidecar"},
        {"labels": "app=other"},
    ],
)
async def test_a_grant_for_something_else_does_not_help(where: dict[str, str]) -> None:
    async with serving() as site:
        alice = await _person("alice", "exec", **where)

        answer = await alice.ticket()

        assert answer["status"] == 403
        assert site.cluster.requests == []


async def test_the_cluster_must_allow_it_too() -> None:
    async with serving() as site:
        site.rights.verdict = Verdict(False, "create on pods/exec is missing for alice")
        alice = await _person("alice", "exec")

        answer = await alice.ticket()

        assert answer["status"] == 403
        assert "create on pods/exec is missing" in answer["error"]["message"]
        assert site.rights.asked[0][1].user == "alice"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Refusal.POD_NOT_FOUND, 404),
        (Refusal.CONTAINER_NOT_FOUND, 404),
        (Refusal.UNKNOWN_CLUSTER, 404),
        (Refusal.CLUSTER_UNREACHABLE, 502),
        (Refusal.FORBIDDEN, 403),
    ],
)
async def test_what_the_cluster_says_is_passed_on(kind: Refusal, status: int) -> None:
    async with serving() as site:
        site.cluster.inspection = Refused(kind, "A sentence for the person.")
        alice = await _person("alice", "exec")

        answer = await alice.ticket()

        assert (answer["status"], answer["error"]["code"]) == (status, f"cluster_{kind.value}")
        assert answer["error"]["message"] == "A sentence for the person."


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stream": "targets", "target": TARGET_BODY},
        {"stream": "everything"},
        {"target": {**TARGET_BODY, "pod": "-oProxyCommand=id"}},
        {"target": {**TARGET_BODY, "namespace": "shop;id"}},
        {"target": {**TARGET_BODY, "container": "../web"}},
        {"target": {**TARGET_BODY, "cluster": "Demo"}},
        {"target": TARGET_BODY, "kind": "portforward"},
        {"target": TARGET_BODY, "shell": "zsh"},
        {"target": TARGET_BODY, "shell": "custom"},
        {"target": TARGET_BODY, "shell": "custom", "command": []},
        {"target": TARGET_BODY, "shell": "custom", "command": ["a\0b"]},
        {"target": TARGET_BODY, "shell": "custom", "command": [""]},
        {"target": TARGET_BODY, "shell": "custom", "command": ["x"] * 65},
        {"target": TARGET_BODY, "shell": "custom", "command": ["x" * 8193]},
        {"target": TARGET_BODY, "shell": "bash", "command": ["id"]},
        {"target": TARGET_BODY, "kind": "attach", "shell": "bash"},
        {"session": "not a uuid"},
    ],
)
async def test_senseless_requests_are_refused_and_start_nothing(body: dict[str, Any]) -> None:
    async with serving() as site:
        alice = await _person("alice", "exec", "attach")

        answer = await alice.post("/api/tickets", body)

        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
        assert site.cluster.requests == []


async def test_the_words_of_a_custom_command_reach_the_container_as_they_are() -> None:
    async with serving() as site:
        alice = await _person("alice", "exec")
        words = ["printf", "%s", "$(id) `id`; rm -rf / '\""]
        socket = await alice.opens(target=TARGET_BODY, shell="custom", command=words)
        await socket.sees(b"$ ")

        command = site.cluster.requests[0].command
        assert command is not None
        assert list(command[-3:]) == words
        assert all(words[2] not in word for word in command[:-1])


async def test_somebody_elses_session_is_not_there() -> None:
    async with serving():
        alice = await _person("alice", "exec")
        bob = await _person("bob", "exec")
        socket = await alice.opens()
        session = socket.told("welcome")[0]["session"]

        assert (await bob.http.get(f"/api/sessions/{session}")).status_code == 404
        assert (await bob.ticket(session=session))["status"] == 404
        assert (await bob.post(f"/api/sessions/{session}/end")).status_code == 404
        assert (
            await bob.post(f"/api/sessions/{session}/terminate", {"reason": "x"})
        ).status_code == 404
        everything = (await bob.http.get("/api/sessions?scope=all")).json()
        assert everything == {"sessions": [], "more": False}


async def test_who_may_view_sees_a_session_but_cannot_type_in_it() -> None:
    async with serving() as site:
        alice = await _person("alice", "exec")
        vera = await _person("vera", "view")
        owner = await alice.opens()
        await owner.sees(b"$ ")
        session = owner.told("welcome")[0]["session"]
        assert (await vera.ticket(session=session))["status"] == 403

        answer = await vera.ticket(session=session, role="viewer")
        viewer = await vera.socket(answer["ticket"])
        await viewer.hello(client="client-v")
        await viewer.types(b"rm -rf /\r")
        await viewer.tells({"type": "take"})
        await viewer.tells({"type": "end"})
        await viewer.sees(b"$ ")
        await owner.types(b"ls\r")
        await viewer.sees(b"ls")

        assert viewer.told("welcome")[0]["role"] == "viewer"
        assert (await site.cluster.stream()).stdin == b"ls\r"


async def test_terminating_needs_its_own_grant_and_is_on_record() -> None:
    async with serving():
        alice = await _person("alice", "exec")
        vera = await _person("vera", "view")
        tom = await _person("tom", "view", "terminate")
        socket = await alice.opens()
        await socket.sees(b"$ ")
        session = socket.told("welcome")[0]["session"]
        address = f"/api/sessions/{session}/terminate"
        assert (await vera.post(address, {"reason": "x"})).status_code == 403

        assert (await tom.post(address, {"reason": "it is Friday"})).status_code == 202

        await socket.is_closed()
        assert socket.told("ended")[0]["reason"] == "terminated"
        event = await AuditEvent.objects.aget(tag="terminal:session:terminate")
        assert (event.username, event.data["owner"]) == ("tom", "alice")


async def test_the_list_says_what_a_session_is_doing() -> None:
    async with serving():
        alice = await _person("alice", "exec")
        socket = await alice.opens()
        await socket.sees(b"$ ")

        [live] = (await alice.http.get("/api/sessions?state=live")).json()["sessions"]
        assert (live["state"], live["attached"], live["detached_until"]) == ("live", True, None)
        assert live["may"] == ["own", "view"]

        await socket.leaves()
        async with asyncio.timeout(20):
            while live["attached"]:
                [live] = (await alice.http.get("/api/sessions?state=live")).json()["sessions"]
        assert live["detached_until"] is not None


async def test_an_ended_session_says_why_instead_of_giving_a_ticket() -> None:
    async with serving():
        alice = await _person("alice", "exec")
        socket = await alice.opens()
        await socket.sees(b"$ ")
        session = socket.told("welcome")[0]["session"]
    async with serving():
        answer = await alice.ticket(session=session)

    assert (answer["status"], answer["error"]["code"]) == (409, "ended")
    assert answer["error"]["data"]["end_reason"] == "server_drain"


async def test_a_database_that_is_away_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as site:
        alice = await _person("alice", "exec")
        answer = await alice.ticket()

        def away(*_: object, **__: object) -> None:
            raise RuntimeError("the database is away")

        monkeypatch.setattr(TerminalSession.objects, "create", away)
        socket = await alice.socket(answer["ticket"])
        await socket.tells(
            {"type": "hello", "client": "client-1", "cols": 80, "rows": 24, "offset": None}
        )

        assert await socket.is_closed() == 4500
        assert site.cluster.requests == []


@pytest.mark.parametrize(
    ("selector", "status"),
    [("tier=db", 200), ("tier!=web", 200), ("tier!=db", 404), ("!tier", 404), ("app", 404)],
)
async def test_a_selector_decides_whose_sessions_are_seen(selector: str, status: int) -> None:
    async with serving() as site:
        site.cluster.pod = replace(site.cluster.pod, labels={"tier": "db"})
        alice = await _person("alice", "exec")
        vera = await _person("vera")
        await give(vera.user, "view", labels=selector)
        socket = await alice.opens()
        await socket.sees(b"$ ")
        session = socket.told("welcome")[0]["session"]

        assert (await vera.http.get(f"/api/sessions/{session}")).status_code == status


async def test_when_the_labels_are_no_longer_known_no_selector_helps() -> None:
    async with serving():
        alice = await _person("alice", "exec")
        vera = await _person("vera")
        await give(vera.user, "view", "terminate", labels="!secret")
        socket = await alice.opens()
        await socket.sees(b"$ ")
        session = socket.told("welcome")[0]["session"]
        await socket.leaves()

    assert (await vera.http.get(f"/api/sessions/{session}")).status_code == 404


async def test_a_ticket_opens_a_socket_of_the_page_that_asked_for_it() -> None:
    async with serving() as site:
        alice = await _person("alice", "exec")
        elsewhere, here = [
            (
                await alice.http.post(
                    "/api/tickets",
                    {"target": TARGET_BODY},
                    content_type="application/json",
                    headers={"origin": origin},
                )
            ).json()
            for origin in ("http://localhost:8000", ORIGIN)
        ]

        assert not (await alice.socket(elsewhere["ticket"])).is_open
        socket = await alice.socket(here["ticket"])
        assert socket.is_open
        await socket.leaves()
        assert site.cluster.requests == []
