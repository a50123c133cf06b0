"""The admin of grants and of the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from access.actions import Action
from access.audit import EventTag, record
from access.models import AuditEvent, Grant
from protocol.target import Target

pytestmark = pytest.mark.django_db

XSS = '"><img src=x onerror=alert(1)>'


@pytest.fixture
def site(admin: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(admin)


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page() -> None:
    answer = Client().get("/admin/access/grant/")
    assert answer.status_code == 302

    answer = Client().get(answer["Location"])
    assert answer["Location"].startswith("/sign-in?next=")


def test_who_is_no_staff_is_refused(alice: Any, browser_of: Callable[[Any], Client]) -> None:
    answer = browser_of(alice).get("/admin/", follow=True)

    assert answer.status_code == 403


def test_the_admin_site_does_not_take_passwords(admin: Any) -> None:
    answer = Client().post(
        "/admin/login/", {"username": "ada", "password": "correct horse battery staple"}
    )

    assert answer.status_code == 302
    assert Client().get("/api/me").status_code == 401


def test_the_audit_trail_is_read_only_for_everybody(site: Client, alice: Any) -> None:
    event = record(EventTag.LOGIN_START, user=alice)
    page = f"/admin/access/auditevent/{event.pk}/"

    assert site.get("/admin/access/auditevent/").status_code == 200
    assert site.get(f"{page}change/").status_code == 200
    before = AuditEvent.objects.count()
    assert site.post(f"{page}change/", {"username": "mallory"}).status_code == 403
    assert site.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert site.get("/admin/access/auditevent/add/").status_code == 403
    assert site.post("/admin/access/auditevent/add/", {"tag": "x"}).status_code == 403
    site.post(
        "/admin/access/auditevent/",
        {"action": "delete_selected", "_selected_action": [str(event.pk)], "post": "yes"},
    )
    assert AuditEvent.objects.count() == before
    assert AuditEvent.objects.get(pk=event.pk).username == "alice"


def test_deleting_a_person_does_not_delete_what_they_did(site: Client, alice: Any) -> None:
    event = record(EventTag.LOGIN_START, user=alice)

    site.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})

    assert not type(alice).objects.filter(pk=alice.pk).exists()
    assert AuditEvent.objects.filter(pk=event.pk, username="alice").exists()
    assert site.get("/admin/access/auditevent/").status_code == 200
    assert site.get(f"/admin/access/auditevent/{event.pk}/change/").status_code == 200


def test_a_grant_is_written_down_and_noted(site: Client, alice: Any, admin: Any) -> None:
    team = Group.objects.create(name="team")
    form = {
        "name": "team grant",
        "group": team.pk,
        "actions": ["view", "exec"],
        "cluster": "demo",
        "namespaces": "shop, shop-*",
        "labels": "app=web",
        "containers": "*",
        "owner": "olga",
        "enabled": "on",
    }

    answer = site.post("/admin/access/grant/add/", form)

    assert answer.status_code == 302, answer.context["errors"]
    grant = Grant.objects.get(name="team grant")
    assert grant.actions == ["exec", "view"]
    assert grant.created_by == admin
    site.post(f"/admin/access/grant/{grant.pk}/change/", {**form, "namespaces": "vault"})
    site.post(f"/admin/access/grant/{grant.pk}/delete/", {"post": "yes"})
    events = AuditEvent.objects.filter(tag__startswith="access:grant:").order_by("time")
    assert [event.tag.rsplit(":", 1)[1] for event in events] == ["create", "change", "delete"]
    assert {event.username for event in events} == {"ada"}
    changed = events[1]
    assert changed.data["namespaces"] == "vault"
    assert changed.data["changed"] == ["namespaces"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": None, "group": None},
        {"actions": []},
        {"actions": ["fly"]},
        {"namespaces": "Not A Name"},
        {"labels": "=x"},
    ],
)
def test_a_grant_that_makes_no_sense_is_not_stored(
    site: Client, alice: Any, wrong: dict[str, Any]
) -> None:
    form: dict[str, Any] = {
        "name": "odd",
        "user": alice.pk,
        "actions": ["exec"],
        "cluster": "*",
        "namespaces": "*",
        "containers": "*",
        "enabled": "on",
    }
    form = {key: value for key, value in {**form, **wrong}.items() if value is not None}

    answer = site.post("/admin/access/grant/add/", form)

    assert answer.status_code == 200
    assert not Grant.objects.filter(name="odd").exists()


def test_names_from_outside_are_text_in_the_admin(
    site: Client, make_user: Callable[..., Any], make_grant: Callable[..., Any]
) -> None:
    mallory = make_user(f"m{XSS}")
    make_grant(mallory, Action.EXEC, name=XSS, owner=XSS)
    event = record(
        EventTag.LOGIN_FAIL,
        username=XSS,
        address=XSS,
        target=Target(XSS, XSS, XSS, XSS),
        reason=XSS,
        data={"title": XSS},
    )

    for page in (
        "/admin/",
        "/admin/access/grant/",
        f"/admin/access/grant/{Grant.objects.get().pk}/change/",
        "/admin/access/auditevent/",
        f"/admin/access/auditevent/{event.pk}/change/",
        "/admin/auth/user/",
        f"/admin/access/auditevent/?q={XSS}",
    ):
        answer = site.get(page)
        assert answer.status_code == 200, page
        assert "<img src=x" not in answer.content.decode(), page


def test_lists_ask_as_often_for_many_as_for_few(
    site: Client,
    alice: Any,
    make_grant: Callable[..., Any],
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(30):
        make_grant(alice, Action.EXEC, name=f"grant {number}")
        record(EventTag.LOGIN_START, user=alice)
    for page in ("/admin/access/grant/", "/admin/access/auditevent/"):
        with django_assert_max_num_queries(14):
            site.get(page)
