"""How a cluster is reached: as whom, with which credentials, through what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from yarl import URL

from kube.clusters import Clusters
from kube.connection import KEPT_CONNECTIONS, api_path
from kube.errors import ApiRefused, Unreachable
from protocol.identity import Identity
from tests.e2e.faultproxy import fault_proxy
from tests.kube.connected import connected
from tests.kube.kubelet import Kubelet, answering, eventually, status_response
from tests.kube.tls import Authority, tls_server

ALICE = Identity("alice", ("team-a", "staff"))


def ok(body: object = None) -> Any:
    return answering(lambda: web.json_response({} if body is None else body))


def _open_ends(kubelet: Kubelet) -> int:
    """Return how many connections to the server somebody still holds open."""
    transports = {request.transport for request in kubelet.requests}
    return sum(one is not None and not one.is_closing() for one in transports)


async def test_a_call_for_a_person_carries_exactly_that_person(
    kubelet: Kubelet, impersonating: Clusters
) -> None:
    kubelet.answer = ok()

    await impersonating.connection("it").call("GET", "/x", identity=ALICE)

    assert kubelet.seen.headers.getall("Impersonate-User") == ["alice"]
    assert kubelet.seen.headers.getall("Impersonate-Group") == ["team-a", "staff"]


async def test_hatchways_own_calls_and_service_accounts_impersonate_nobody(
    kubelet: Kubelet, impersonating: Clusters, clusters: Clusters
) -> None:
    kubelet.answer = ok()

    await impersonating.connection("it").call("GET", "/x", identity=None)
    await clusters.connection("it").call("GET", "/x", identity=ALICE)

    for request in kubelet.requests:
        assert not [name for name in request.headers if name.lower().startswith("impersonate")]


@pytest.mark.parametrize(
    "identity",
    [
        Identity(""),
        Identity("system:admin"),
        Identity("a\r\nImpersonate-Group: system:masters"),
        Identity(" alice"),
        Identity("alice", ("system:masters",)),
        Identity("alice", ("",)),
    ],
)
async def test_a_dangerous_name_never_leaves(
    kubelet: Kubelet, impersonating: Clusters, identity: Identity
) -> None:
    kubelet.answer = ok()

    with pytest.raises(ApiRefused) as caught:
        await impersonating.connection("it").call("GET", "/x", identity=identity)

    assert caught.value.status == 403
    assert kubelet.requests == []


async def test_names_of_any_language_come_through(
    kubelet: Kubelet, impersonating: Clusters
) -> None:
    kubelet.answer = ok()

    await impersonating.connection("it").call("GET", "/x", identity=Identity("张伟"))

    raw = dict(kubelet.seen.raw_headers)[b"Impersonate-User"]
    assert raw.decode() == "张伟"


async def test_an_error_brings_the_whole_status(kubelet: Kubelet, clusters: Clusters) -> None:
    kubelet.answer = answering(lambda: status_response(409, "Conflict", "it exists", {"name": "x"}))

    with pytest.raises(ApiRefused) as caught:
        await clusters.connection("it").call("POST", "/x", identity=None, body={"a": 1})

    error = caught.value
    assert (error.status, error.reason, error.message) == (409, "Conflict", "it exists")
    assert error.details == {"name": "x"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(
    kubelet: Kubelet, clusters: Clusters, status: int
) -> None:
    kubelet.answer = answering(lambda: web.Response(status=status, headers={"Location": "/y"}))

    with pytest.raises(ApiRefused):
        await clusters.connection("it").call("GET", "/x", identity=None)

    assert len(kubelet.requests) == 1


async def test_something_that_is_no_kubernetes_is_unreachable(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    kubelet.answer = answering(lambda: web.Response(text="<html>"))

    with pytest.raises(Unreachable, match="no Kubernetes"):
        await clusters.connection("it").call("GET", "/x", identity=None)


async def test_a_server_that_does_not_answer_is_given_up(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    kubelet.answer = never

    with pytest.raises(Unreachable, match="in time"):
        await clusters.connection("it").call("GET", "/x", identity=None, seconds=0.2)


async def test_a_burst_of_calls_leaves_few_connections_open(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    everybody_asks = asyncio.Barrier(3 * KEPT_CONNECTIONS)

    async def together(_request: web.Request) -> web.StreamResponse:
        await everybody_asks.wait()
        return web.json_response({})

    kubelet.answer = together
    connection = clusters.connection("it")
    for _ in range(2):
        async with asyncio.TaskGroup() as calls:
            for _ in range(everybody_asks.parties):
                calls.create_task(connection.call("GET", "/x", identity=None))

        await eventually(lambda: _open_ends(kubelet) == KEPT_CONNECTIONS)

    kubelet.answer = ok()
    asked = {request.transport for request in kubelet.requests}
    await connection.call("GET", "/x", identity=None)
    assert kubelet.seen.transport in asked  # and those are used again


async def test_calls_do_not_wait_behind_others_that_hang(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    hanging = 0

    async def hang_at_first(request: web.Request) -> web.StreamResponse:
        nonlocal hanging
        if request.path == "/hangs":
            hanging += 1
            await asyncio.sleep(60)
        return web.json_response({"here": True})

    kubelet.answer = hang_at_first
    connection = clusters.connection("it")
    async with asyncio.TaskGroup() as calls:
        stuck = [
            calls.create_task(connection.call("GET", "/hangs", identity=None))
            for _ in range(2 * KEPT_CONNECTIONS)
        ]
        await eventually(lambda: hanging == len(stuck))

        answer = await connection.call("GET", "/x", identity=None, seconds=5)
        for each in stuck:
            each.cancel()

    assert answer == {"here": True}


async def test_the_version_is_asked_once(kubelet: Kubelet, clusters: Clusters) -> None:
    kubelet.answer = ok({"gitVersion": "v1.35.4"})
    connection = clusters.connection("it")

    assert await connection.server_version() == "v1.35.4"
    assert await connection.server_version() == "v1.35.4"
    assert len(kubelet.requests) == 1


async def test_lines_come_whole_however_they_are_cut(kubelet: Kubelet, clusters: Clusters) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"a"', b":1}\n\n{", b'"b":2}\n{"c":3}', b"\n"):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    kubelet.answer = drip
    async with clusters.connection("it").lines("/x", identity=None) as lines:
        assert [line async for line in lines] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


async def test_a_new_token_file_is_read_after_a_401_at_once(
    kubelet: Kubelet, tmp_path: Path
) -> None:
    kubelet.answer = ok()
    token = tmp_path / "token"
    token.write_text("old\n")
    async with connected(
        {"server": kubelet.address}, {"tokenFile": "token"}, tmp_path
    ) as connection:
        kubelet.token = "old"
        await connection.call("GET", "/x", identity=None)
        kubelet.token = "new"
        token.write_text("new\n")
        await connection.call("GET", "/x", identity=None)

        kubelet.token = "never"
        with pytest.raises(ApiRefused):
            await connection.call("GET", "/x", identity=None)
        asked = len(kubelet.requests)
        with pytest.raises(ApiRefused):
            await connection.call("GET", "/x", identity=None)
        assert len(kubelet.requests) == asked + 1  # a wrong token is not asked for again and again


async def test_calls_go_through_the_proxy_of_the_kubeconfig(
    kubelet: Kubelet, tmp_path: Path
) -> None:
    kubelet.answer = ok()
    cluster = {"server": "http://far.away:6443", "proxy-url": kubelet.address}
    async with connected(cluster, {"token": "right"}, tmp_path) as connection:
        await connection.call("GET", "/x", identity=None)

    assert kubelet.seen.headers["Host"] == "far.away:6443"


async def test_calls_go_through_the_proxy_of_the_environment_but_never_for_this_machine(
    kubelet: Kubelet, clusters: Clusters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubelet.answer = ok()
    monkeypatch.setenv("http_proxy", kubelet.address)
    async with connected(
        {"server": "http://far.away:6443"}, {"token": "right"}, tmp_path
    ) as connection:
        await connection.call("GET", "/x", identity=None)
        assert kubelet.seen.headers["Host"] == "far.away:6443"

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await clusters.connection("it").call("GET", "/x", identity=None)


async def test_closing_ends_what_waits_for_a_goodbye_in_tls(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("me")
    (tmp_path / "me.pem").write_bytes(certificate + key)
    user = {"client-certificate": "me.pem", "client-key": "me.pem"}
    async with (
        tls_server(tmp_path, authority, authority, "k8s.test") as (address, _),
        fault_proxy(URL(address).port or 0) as line,
    ):
        cluster = {
            "server": f"https://127.0.0.1:{line.port}",
            "insecure-skip-tls-verify": True,
        }
        async with connected(cluster, user, tmp_path) as connection:
            async with connection.lines("/lines", identity=None) as lines:
                assert await anext(lines) == b"one"
                line.hold()
            assert len(open_to(line.port)) == 1

        assert open_to(line.port) == []


def open_to(port: int) -> list[object]:
    found = psutil.Process().net_connections("tcp")
    return [each for each in found if each.raddr and each.raddr.port == port]


def test_segments_are_escaped_and_never_climb() -> None:
    assert api_path("api", "a/b", "x?y#z", "..%2F") == "/api/a%2Fb/x%3Fy%23z/..%252F"
    for dots in ("", ".", ".."):
        with pytest.raises(ApiRefused):
            api_path("api", dots, "x")
