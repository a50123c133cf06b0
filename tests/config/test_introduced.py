"""Whoever serves a socket knows the person, and holds neither cookies nor headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from access.login import login_of_scope
from config.introduced import Introduced

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served() -> list[Any]:
    """What the application behind was called with: scope and send."""
    return []


async def connect(served: list[Any], cookie: bytes) -> dict[str, Any]:
    """Open a socket and return the scope of the outer application afterwards."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        served.extend((scope, send))
        await receive()
        await send({"type": "websocket.accept"})

    outer: list[Any] = []

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        outer.extend((scope, send))
        await Introduced(application)(scope, receive, send)

    communicator = WebsocketCommunicator(
        hold, "/ws/x", headers=[(b"cookie", cookie), (b"origin", b"http://here")]
    )
    assert (await communicator.connect())[0]
    await communicator.wait()
    assert served[1] is outer[1]  # a frame passes nothing on its way out
    scope: dict[str, Any] = outer[0]
    return scope


async def test_the_person_is_known_and_cookies_are_not_kept(
    browser_of: Callable[[Any], Client], alice: Any, served: list[Any]
) -> None:
    client = await sync_to_async(browser_of)(alice)
    key = client.cookies["hatchway_session"].value

    outer = await connect(served, f"hatchway_session={key}".encode())

    login = login_of_scope(served[0])
    assert login is not None
    assert (login.user, login.key) == (alice, key)
    assert outer["headers"] == [(b"origin", b"http://here")]
    assert "cookies" not in outer | served[0]


async def test_nobody_is_made_up(served: list[Any]) -> None:
    await connect(served, b"hatchway_session=" + b"x" * 32)

    assert login_of_scope(served[0]) is None
