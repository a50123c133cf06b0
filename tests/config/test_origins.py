"""config.origins and config.origin_guard: exact origins."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.origin_guard import OriginGuard
from config.origins import host_of, parse_origin, socket_origin

GOOD = "https://hatchway.example.com"


@pytest.mark.parametrize(
    "text",
    [GOOD, "http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000", "https://a:8443"],
)
def test_what_a_browser_could_send_is_accepted(text: str) -> None:
    assert parse_origin(text, key="KEY") == text


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "https://*.example.com",
        "https://A.example.com",
        "https://a.example.com/",
        "https://a.example.com:443",
        "http://a.example.com:80",
        "a.example.com",
        "ws://a.example.com",
        "https://user@a.example.com",
        "null",
        "",
    ],
)
def test_what_no_browser_would_send_is_refused_by_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        parse_origin(text, key="KEY")


def test_hosts_and_socket_addresses_of_origins() -> None:
    assert host_of("http://127.0.0.1:8000") == "127.0.0.1"
    assert host_of("http://[::1]:8000") == "[::1]"
    assert host_of(GOOD) == "hatchway.example.com"
    assert socket_origin(GOOD) == "wss://hatchway.example.com"
    assert socket_origin("http://127.0.0.1:8000") == "ws://127.0.0.1:8000"


async def lets_through(*headers: tuple[bytes, bytes]) -> bool:
    reached: list[bool] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(True)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    guard: Any = OriginGuard(application, origins=[GOOD])
    await guard({"type": "websocket", "headers": list(headers)}, None, send)
    assert bool(reached) is not bool(sent)
    return bool(reached)


async def test_exactly_one_allowed_origin_is_let_through() -> None:
    good = (b"origin", GOOD.encode())

    assert await lets_through(good)
    assert not await lets_through()
    assert not await lets_through(good, good)
    assert not await lets_through(good, (b"Origin", b"https://evil.example"))


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"",
        b"https://evil.example",
        b"http://hatchway.example.com",
        b"https://hatchway.example.com:9999",
        b"https://hatchway.example.com:443",
        b"https://sub.hatchway.example.com",
        b"https://hatchway.example.com.evil.example",
        b"https://evil.example#https://hatchway.example.com",
        b"HTTPS://HATCHWAY.EXAMPLE.COM",
        b"https://hatchway.example.com/",
        b" https://hatchway.example.com",
        b"https://hatchway.example.com, https://evil.example",
        b"\xff",
    ],
)
async def test_every_other_origin_is_denied(origin: bytes) -> None:
    assert not await lets_through((b"origin", origin))
