"""What an attacker sends to a whole, running Hatchway, and that it leads nowhere."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.other_client import Hatchway
from tests.e2e.person import sign_in
from tests.e2e.running import PASSWORD, RunningHatchway

SESSION = uuid4()
CHANGING = (
    ("POST", "/api/sign-in"),
    ("POST", "/api/sign-out"),
    ("POST", "/api/password"),
    ("POST", "/api/tickets"),
    ("PUT", "/api/favourites"),
    ("DELETE", "/api/favourites?cluster=a&namespace=b&container=c"),
    ("PUT", "/api/preferences"),
    ("POST", "/api/debug-containers"),
    ("POST", f"/api/sessions/{SESSION}/end"),
    ("POST", f"/api/sessions/{SESSION}/terminate"),
    ("POST", "/admin/login/"),
    ("POST", "/admin/logout/"),
    ("POST", "/admin/password_change/"),
    ("POST", "/admin/access/grant/add/"),
    ("POST", "/admin/auth/user/add/"),
    ("POST", f"/admin/terminal/terminalsession/{SESSION}/terminate/"),
)
"""Everything that changes something, for whoever may."""


@pytest.fixture(scope="module")
def ada(demo: RunningHatchway) -> Hatchway:
    """An administrator's browser: who may do everything has the most to lose."""
    return sign_in(demo, "admin")


def cookies(client: Hatchway) -> dict[str, str]:
    """Return the cookies of a client by name."""
    return {cookie.name: cookie.value or "" for cookie in client.jar}


def ask(
    hatchway: RunningHatchway,
    method: str,
    address: str,
    headers: dict[str, str],
    body: Any = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request with exactly these headers; return status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", hatchway.port, timeout=20)
    data = None if body is None else json.dumps(body)
    connection.request(method, address, data, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def jar(held: dict[str, str]) -> str:
    """Return cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in held.items())


def status_line(hatchway: RunningHatchway, request: bytes) -> int:
    """Send bytes and return the status of the answer."""
    with socket.create_connection(("127.0.0.1", hatchway.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n" not in answer and (part := connection.recv(4096)):
            answer += part
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(("method", "address"), CHANGING)
def test_a_foreign_page_changes_nothing(
    method: str, address: str, demo: RunningHatchway, ada: Hatchway
) -> None:
    held = cookies(ada)
    token = {"X-CSRFToken": held["hatchway_csrf"]}
    for headers in (
        {"Origin": demo.origin},
        {"Origin": demo.origin, "Content-Type": "text/plain"},
        {"Origin": "https://evil.example", **token},
        {"Origin": "null", **token},
    ):
        status, _, _ = ask(demo, method, address, {"Cookie": jar(held), **headers}, {})
        assert status == 403, headers

    assert ada.call("GET", "/api/me")["username"] == "admin"


@pytest.mark.parametrize(
    "claim",
    [
        {"Impersonate-User": "admin"},
        {"X-Remote-User": "admin"},
        {"X-Forwarded-User": "admin"},
        {"Connection": "Impersonate-User, close"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/admin/"},
    ],
    ids=str,
)
def test_a_claim_in_a_header_changes_nothing(claim: dict[str, str], demo: RunningHatchway) -> None:
    held = cookies(sign_in(demo))

    status, _, body = ask(demo, "GET", "/api/me", {"Cookie": jar(held), **claim})

    assert (status, json.loads(body)["username"]) == (200, "alice")


def test_a_session_key_that_was_planted_is_not_taken_over(demo: RunningHatchway) -> None:
    held = {"hatchway_session": "a" * 32, **cookies(sign_in(demo))}
    first = held["hatchway_session"]
    headers = {"Origin": demo.origin, "X-CSRFToken": held["hatchway_csrf"], "Cookie": jar(held)}
    body = {"username": "bob", "password": PASSWORD}

    status, answered, _ = ask(demo, "POST", "/api/sign-in", headers, body)

    assert status == 200
    assert first not in answered["set-cookie"]
    assert ask(demo, "GET", "/api/me", {"Cookie": f"hatchway_session={first}"})[0] == 401
    planted = "a" * 32
    assert ask(demo, "GET", "/api/me", {"Cookie": f"hatchway_session={planted}"})[0] == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/static/../manage.py", 404),
        ("/static/%2e%2e/manage.py", 404),
        ("/static/..%2f..%2fmanage.py", 404),
        ("/static//etc/passwd", 404),
        ("/static/%5c..%5cmanage.py", 404),
        ("/api/../admin/", 404),
        ("/%00", 400),
        ("/?a=%00", 400),
        ("/ws/../api/me", 404),
    ],
)
def test_tricks_with_paths_lead_nowhere(address: str, status: int, demo: RunningHatchway) -> None:
    host = f"Host: 127.0.0.1:{demo.port}"
    request = f"GET {address} HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n"

    assert status_line(demo, request.encode()) == status


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1,evil", "127.0.0.1:1@evil"])
def test_another_host_is_refused(host: str, demo: RunningHatchway) -> None:
    request = f"GET /api/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert status_line(demo, request.encode()) == 400


def test_signing_in_leads_to_no_other_place(demo: RunningHatchway, ada: Hatchway) -> None:
    address = "/admin/login/?next=//evil.example"

    status, headers, _ = ask(demo, "GET", address, {"Cookie": jar(cookies(ada))})

    assert (status, headers["location"]) == (302, "/admin/")


def test_the_auditor_reads_and_does_nothing_else(demo: RunningHatchway) -> None:
    held = cookies(sign_in(demo, "aaron"))
    headers = {
        "Cookie": jar(held),
        "Origin": demo.origin,
        "X-CSRFToken": held["hatchway_csrf"],
    }

    for part in ("access/auditevent", "access/grant", "terminal/terminalsession"):
        assert ask(demo, "GET", f"/admin/{part}/", headers)[0] == 200
        assert ask(demo, "GET", f"/admin/{part}/add/", headers)[0] == 403
    for part in ("auth/user/", "auth/group/", "auth/user/1/change/", "auth/user/1/password/"):
        assert ask(demo, "GET", f"/admin/{part}", headers)[0] == 403
        assert ask(demo, "POST", f"/admin/{part}", headers, {})[0] == 403
    assert ask(demo, "GET", "/admin/access/grant/?user__password__startswith=a", headers)[0] == 400
