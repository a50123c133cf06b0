"""Every address, for everybody: who gets what, and that nothing changes on GET."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.urls import URLPattern, URLResolver, get_resolver

from access.audit import EventTag, record
from access.models import AuditEvent, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

OPEN_TO_ALL = {"/api/me", "/api/sign-in", "/api/openapi.json", "/api/", "/healthz", "/"}
"""What answers a stranger: the page itself, its health, and the way in."""
SAMPLE_ID = "3f0b7a52-6c1d-4e8f-9a2b-1c2d3e4f5a6b"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        text = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, prefix + text)
        elif isinstance(pattern, URLPattern):
            yield prefix + text


def filled(address: str) -> str:
    """Return an address with something for each of its parts."""
    address = re.sub(r"<(?:uuid:)?(?:session_id|id)>", SAMPLE_ID, address)
    address = re.sub(r"<[^>]*object_id>", "1", address)
    address = re.sub(r"<[^>]+>", "x", address)
    address = re.sub(r"\(\?P<[^>]+>[^)]*\)", "x", address)
    address = re.sub(r"\(\?![^)]*\)", "", address)
    return re.sub(r"[\^$]|\\Z", "", address)


ALL = sorted({filled(address) for address in addresses(get_resolver())})
API = [address for address in ALL if address.startswith("/api/")]
ADMIN = [address for address in ALL if address.startswith("/admin/")]


def test_the_walk_finds_every_app() -> None:
    for part in ("/api/sign-in", "/api/tickets", "/api/favourites", "/api/grants/mine"):
        assert part in API
    assert any("auditevent" in address for address in ADMIN)
    assert any("terminalsession" in address for address in ADMIN)


@pytest.mark.parametrize("address", API)
async def test_a_stranger_gets_nothing_from_the_api(address: str) -> None:
    if address in OPEN_TO_ALL:
        return
    for method in METHODS:
        answer = await AsyncClient().generic(method, address, "{}", "application/json")
        assert answer.status_code in (401, 403, 404, 405), (method, answer.status_code)


@pytest.mark.parametrize("address", ADMIN)
def test_nobody_but_staff_gets_anything_from_the_admin_site(
    address: str, alice: Any, browser_of: Callable[[Any], Client]
) -> None:
    for client in (Client(), browser_of(alice)):
        for method in ("GET", "POST"):
            answer = client.generic(method, address)
            assert answer.status_code in (302, 403, 404, 405), (method, answer.status_code)
            if answer.status_code == 302:
                assert answer["Location"].startswith(("/admin/login/", "/sign-in", "/admin/"))


@pytest.mark.parametrize("address", API)
async def test_nothing_changes_on_get(address: str, alice: Any) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    before = await AuditEvent.objects.acount()

    answer = await client.get(address)

    assert answer.status_code < 500
    assert await AuditEvent.objects.acount() == before
    assert await Ticket.objects.acount() == 0


@pytest.mark.parametrize(
    "address",
    ["/api/tickets", "/api/sign-in", "/api/sign-out", "/api/password", "/api/debug-containers"],
)
async def test_what_changes_something_takes_no_get(address: str, alice: Any) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)

    answer = await client.get(address)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["error"] == {
        "code": "invalid",
        "message": "This address takes POST.",
        "data": {"allow": ["POST"]},
    }


def test_what_an_address_takes_is_told_without_a_loop_too() -> None:
    answer = Client().get("/api/sign-in")

    assert answer.status_code == 405
    assert answer.json()["error"]["data"] == {"allow": ["POST"]}


def test_an_auditor_reads_events_and_changes_nothing(
    make_user: Callable[..., Any], browser_of: Callable[[Any], Client]
) -> None:
    from django.contrib.auth.models import Permission

    auditor = make_user("aaron", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename="view_auditevent"))
    event = record(EventTag.LOGIN_START, user=auditor)
    client = browser_of(auditor)

    assert client.get("/admin/access/auditevent/").status_code == 200
    assert client.get(f"/admin/access/auditevent/{event.pk}/change/").status_code == 200
    assert client.get("/admin/access/grant/").status_code == 403
    assert client.get("/admin/auth/user/").status_code == 403


def test_addresses_below_api_that_do_not_exist_answer_json() -> None:
    answer = Client().get("/api/nowhere")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
