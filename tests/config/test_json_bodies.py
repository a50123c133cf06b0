"""What no client of ours sends is refused with 400, whatever database is behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":["\\ud800"]}',
        b'{"\\udfff":1}',
        b'{"a":NaN}',
        b'{"a":[-Infinity]}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"\xff\xfe",
        b"{",
        b"null",
        b'{"a":"' + b"x" * 300_000 + b'"}',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_could_not_be_stored_is_refused(
    body: bytes, alice: Any, browser_of: Callable[[Any], Client]
) -> None:
    answer = browser_of(alice).put("/api/preferences", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize("name", ["alice\x00", "\ud800", 1, None, ["alice"], "x" * 151])
def test_a_name_that_nobody_has_is_refused(name: object, alice: Any) -> None:
    body = {"username": name, "password": "x"}
    answer = Client().post("/api/sign-in", body, content_type="application/json")

    assert answer.status_code == 400


def test_text_in_any_language_is_kept(alice: Any, browser_of: Callable[[Any], Client]) -> None:
    kept = {"字": ["😀", "a\\u0000b", 1.5, None, True, {}]}
    browser = browser_of(alice)

    browser.put("/api/preferences", kept, content_type="application/json")

    assert browser.get("/api/preferences").json() == kept
