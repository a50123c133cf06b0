"""The API of accounts: signing in and out, `Me`, grants, and the two refusals of every endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from access.audit import EventTag
from access.models import AuditEvent
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


class Browser:
    """A browser that minds its CSRF token."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.client.get("/api/me")

    @property
    def token(self) -> str:
        """The CSRF token, from its cookie."""
        return self.client.cookies["hatchway_csrf"].value

    def send(self, method: str, path: str, body: object = None, **headers: Any) -> Any:
        """Send JSON with the token."""
        return self.client.generic(
            method,
            path,
            data=json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"X-CSRFToken": self.token, **headers},
        )

    def sign_in(self, username: str, password: str = PASSWORD, **more: Any) -> Any:
        """Sign in over the API."""
        body = {"username": username, "password": password}
        return self.send("POST", "/api/sign-in", body, **more)


@pytest.fixture
def browser() -> Browser:
    return Browser()


def tags() -> list[str]:
    return list(AuditEvent.objects.order_by("time").values_list("tag", flat=True))


def test_me_without_a_login_is_401_and_sets_the_csrf_cookie(browser: Browser) -> None:
    answer = browser.client.get("/api/me")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "signed_out"
    cookie = browser.client.cookies["hatchway_csrf"]
    assert cookie["samesite"] == "Strict"
    assert not cookie["httponly"]


def test_signing_in_answers_me(browser: Browser, alice: Any) -> None:
    answer = browser.sign_in("alice")

    assert answer.status_code == 200
    me = answer.json()
    assert me["username"] == "alice"
    assert me["full_name"] == "Alice Operator"
    assert me["actions"] == ["attach", "debug", "exec"]
    assert me["limits"]["detach_grace_seconds"] == 600
    assert me["recorded"] is False
    assert me["version"] == "0.1.0"
    assert browser.client.get("/api/me").json() == me
    assert tags() == [EventTag.LOGIN_START]


def test_the_login_cookie_is_out_of_reach(browser: Browser, alice: Any) -> None:
    browser.sign_in("alice")

    cookie = browser.client.cookies["hatchway_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_signing_in_makes_a_new_login_session(browser: Browser, alice: Any) -> None:
    fixed = browser.client.session
    fixed["planted"] = True
    fixed.save()
    browser.client.cookies["hatchway_session"] = str(fixed.session_key)

    browser.sign_in("alice")

    assert browser.client.cookies["hatchway_session"].value != fixed.session_key
    assert not Session.objects.filter(session_key=fixed.session_key).exists()


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("alice", "")],
)
def test_wrong_credentials_look_alike(
    browser: Browser, alice: Any, username: str, password: str
) -> None:
    answer = browser.sign_in(username, password)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "wrong_credentials"
    assert tags() == [EventTag.LOGIN_FAIL]


def test_a_disabled_account_cannot_sign_in(browser: Browser, alice: Any) -> None:
    alice.is_active = False
    alice.save()

    assert browser.sign_in("alice").json()["error"]["code"] == "wrong_credentials"


def test_ten_failures_for_a_name_make_it_wait(browser: Browser, alice: Any, bob: Any) -> None:
    for number in range(10):
        answer = browser.sign_in("alice", "wrong", **{"X-Forwarded-For": f"198.51.100.{number}"})
        assert answer.status_code == 400

    refused = browser.sign_in("Alice")
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert error["code"] == "too_many"
    assert 290 <= error["data"]["retry_after"] <= 300
    assert refused["Retry-After"] == str(error["data"]["retry_after"])

    AuditEvent.objects.all()
    old = timezone.now() - timedelta(minutes=5, seconds=1)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_auditevent SET time = %s", [old])
    assert browser.sign_in("alice").status_code == 200


def test_ten_failures_from_an_address_make_it_wait_for_every_name(
    browser: Browser, alice: Any
) -> None:
    for number in range(10):
        browser.sign_in(f"guess{number}", "wrong")

    assert browser.sign_in("alice").status_code == 429


def test_signing_out_ends_the_login_session(browser: Browser, alice: Any) -> None:
    browser.sign_in("alice")
    key = browser.client.cookies["hatchway_session"].value

    assert browser.send("POST", "/api/sign-out").status_code == 204

    assert not Session.objects.filter(session_key=key).exists()
    assert browser.client.get("/api/me").status_code == 401
    assert tags() == [EventTag.LOGIN_START, EventTag.LOGIN_END]


def test_a_changed_password_keeps_this_login_and_ends_the_others(
    browser: Browser, alice: Any
) -> None:
    other = Browser()
    other.sign_in("alice")
    browser.sign_in("alice")

    new = "nine lazy yaks juggle"
    answer = browser.send("POST", "/api/password", {"old": PASSWORD, "new": new})

    assert answer.status_code == 204
    assert browser.client.get("/api/me").status_code == 200
    assert other.client.get("/api/me").status_code == 401
    assert Browser().sign_in("alice", new).status_code == 200
    assert EventTag.PASSWORD_CHANGE in tags()


@pytest.mark.parametrize(
    ("old", "new"), [("wrong", "nine lazy yaks juggle"), (PASSWORD, "12345678")]
)
def test_a_bad_password_change_says_what_is_wrong(
    browser: Browser, alice: Any, old: str, new: str
) -> None:
    browser.sign_in("alice")

    answer = browser.send("POST", "/api/password", {"old": old, "new": new})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert answer.json()["error"]["data"]["problems"]
    assert browser.client.get("/api/me").status_code == 200


def test_my_grants_are_mine(browser: Browser, alice: Any, bob: Any) -> None:
    browser.sign_in("bob")

    (grant,) = browser.client.get("/api/grants/mine").json()

    assert grant["name"] == "shop viewers"
    assert grant["actions"] == ["view"]
    assert grant["namespaces"] == ["shop"]
    assert grant["containers"] == ["*"]
    assert grant["owner"] == "olga"
    assert grant["until"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/sign-in"),
        ("POST", "/api/sign-out"),
        ("POST", "/api/password"),
        ("POST", "/api/tickets"),
        ("PUT", "/api/favourites"),
        ("DELETE", "/api/favourites"),
        ("PUT", "/api/preferences"),
        ("POST", "/api/debug-containers"),
        ("POST", "/admin/access/grant/add/"),
    ],
)
@pytest.mark.parametrize("token", ["", "x" * 32])
def test_nothing_changes_without_a_csrf_token(
    browser: Browser, alice: Any, method: str, path: str, token: str
) -> None:
    browser.sign_in("alice")

    answer = browser.client.generic(
        method, path, data="{}", content_type="application/json", headers={"X-CSRFToken": token}
    )

    assert answer.status_code == 403
    if path.startswith("/api/"):
        assert answer.json()["error"]["code"] == "csrf"


def test_a_token_does_not_help_a_foreign_page(browser: Browser, alice: Any) -> None:
    browser.sign_in("alice")

    answer = browser.send("POST", "/api/sign-out", Origin="https://evil.example")

    assert answer.status_code == 403
    assert browser.client.get("/api/me").status_code == 200


@pytest.mark.parametrize("body", [None, [], {"username": "x"}, {"username": 7, "password": []}])
def test_a_body_that_is_not_as_described_is_400_invalid(browser: Browser, body: object) -> None:
    answer = browser.send("POST", "/api/sign-in", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert "input" not in answer.content.decode()


def test_an_unexpected_failure_says_nothing(
    browser: Browser, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_user: object) -> None:
        raise RuntimeError("secret detail")

    browser.sign_in("alice")
    monkeypatch.setattr("access.api.rights_of", fail)
    browser.client.raise_request_exception = False

    answer = browser.client.get("/api/me")

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.content.decode()


def test_the_person_s_password_never_stands_in_an_answer_or_event(
    browser: Browser, alice: Any, browser_of: Callable[[Any], Client]
) -> None:
    canary = "canary-7f3a"

    answer = browser.sign_in("alice", canary)

    assert canary not in answer.content.decode()
    assert canary not in str(list(AuditEvent.objects.values()))
