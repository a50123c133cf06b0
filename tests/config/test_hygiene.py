"""config.hygiene: who really sent it, and what is not even looked at."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from config import hygiene
from config.hygiene import Hygiene

PROXIES = ("10.0.0.0/8",)


async def passed(
    *headers: tuple[bytes, bytes],
    client: tuple[str, int] | None = ("198.51.100.7", 4711),
    kind: str = "http",
    scheme: str = "http",
    path: str = "/",
    query: bytes = b"",
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the scope that the application got, if any, and what was answered."""
    got: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        got.append(dict(scope))

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        raise AssertionError

    scope = {
        "type": kind,
        "path": path,
        "query_string": query,
        "headers": list(headers),
        "client": client,
        "scheme": scheme,
    }
    await Hygiene(application, trusted_proxies=PROXIES)(scope, receive, send)
    return (got[0] if got else None), sent


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", b"203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", b"nonsense", "10.0.0.1"),
        ("10.0.0.1", b"nonsense, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"2001:db8::1", "2001:db8::1"),
    ],
)
async def test_only_trusted_proxies_say_who_asks(peer: str, forwarded: bytes, client: str) -> None:
    scope, _ = await passed((b"x-forwarded-for", forwarded), client=(peer, 4711))

    assert scope is not None
    assert scope["client"][0] == client


async def test_only_trusted_proxies_say_by_which_scheme() -> None:
    proto = (b"x-forwarded-proto", b"https")

    trusted, _ = await passed(proto, client=("10.0.0.1", 1))
    other, _ = await passed(proto)
    socket, _ = await passed(proto, client=("10.0.0.1", 1), kind="websocket", scheme="ws")

    assert trusted is not None
    assert other is not None
    assert socket is not None
    assert (trusted["scheme"], other["scheme"], socket["scheme"]) == ("https", "http", "wss")


async def test_an_address_that_the_server_made_up_is_not_used() -> None:
    scope, _ = await passed((b"x-forwarded-for", b"203.0.113.9"), client=("203.0.113.9", 0))

    assert scope is not None
    assert scope["client"] is None


@pytest.mark.parametrize(
    "name",
    [
        b"impersonate-user",
        b"Impersonate-Group",
        b"x-remote-user",
        b"X-Remote-Group",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"forwarded",
        b"daphne-root-path",
    ],
)
async def test_headers_that_claim_an_identity_or_a_way_are_dropped(name: bytes) -> None:
    scope, _ = await passed((name, b"system:admin"), (b"accept", b"*/*"))

    assert scope is not None
    assert scope["headers"] == [(b"accept", b"*/*")]


@pytest.mark.parametrize("byte", [b"\x00", b"\x0b", b"\x0c", b"\x1c", b"\x1e", b"\x85", b"\r"])
async def test_control_bytes_are_refused(byte: bytes) -> None:
    scope, sent = await passed((b"x-note", b"a" + byte + b"origin: https://good"))

    assert scope is None
    assert sent[0]["status"] == 400


@pytest.mark.parametrize("path", ["/a\nb", "/\x00", "/\x7f"])
async def test_control_characters_in_the_path_are_refused(path: str) -> None:
    scope, sent = await passed(path=path)

    assert scope is None
    assert sent[0]["status"] == 400


async def test_a_malformed_socket_is_denied() -> None:
    scope, sent = await passed((b"x", b"\x0b"), kind="websocket", scheme="ws")

    assert scope is None
    assert sent == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.parametrize("query", [b"cluster=%00", b"q=a\x00b"])
async def test_a_nul_in_the_query_is_refused(query: bytes) -> None:
    scope, sent = await passed(query=query)

    assert scope is None
    assert sent[0]["status"] == 400


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ((b"content-length", b"1048577"), 413),
        ((b"content-length", b"9" * 5000), 413),
        ((b"content-length", b"-1"), 413),
        ((b"transfer-encoding", b"chunked"), 411),
    ],
)
async def test_a_body_without_an_end_is_not_read(header: tuple[bytes, bytes], status: int) -> None:
    scope, sent = await passed(header)

    assert scope is None
    assert sent[0]["status"] == status


async def test_a_body_of_a_form_is_read() -> None:
    scope, _ = await passed((b"content-length", b"1048576"))

    assert scope is not None


async def test_a_body_that_does_not_come_in_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hygiene, "BODY_SECONDS", 0.05)
    sent: list[Any] = []
    pieces = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def receive() -> Any:
        return pieces.pop() if pieces else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await Hygiene(application)(a_request(), receive, send)

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_view_may_work_longer_than_a_body_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hygiene, "BODY_SECONDS", 0.05)
    heard: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while True:
            heard.append((await receive())["type"])
            if heard[-1] == "http.disconnect":
                return

    async def receive() -> Any:
        if not heard:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await Hygiene(application)(a_request(), receive, send)

    assert heard == ["http.request", "http.disconnect"]


def a_request() -> dict[str, Any]:
    """Return the scope of a plain request."""
    return {
        "type": "http",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "client": ("198.51.100.7", 4711),
        "scheme": "http",
    }
