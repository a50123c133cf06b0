"""The admin site shows sessions to auditors and changes none, but for ending them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access.models import AuditEvent
from terminal.models import TerminalSession

pytestmark = pytest.mark.django_db

XSS = '<img src=x onerror="alert(1)">'


@pytest.fixture
def session() -> TerminalSession:
    return TerminalSession.objects.create(
        username="alice",
        cluster_user=XSS,
        cluster="demo",
        namespace="shop",
        pod="web-0",
        container="web",
        pod_uid="pod-1",
        kind="exec",
        shell="custom",
        command=[XSS],
        state="live",
        started=timezone.now(),
    )


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="a long pass phrase"))
    return client


def _page(name: str, *arguments: object) -> str:
    return reverse(f"admin:terminal_terminalsession_{name}", args=arguments)


def test_not_even_a_superuser_adds_changes_or_deletes_a_session(
    root: Client, session: TerminalSession
) -> None:
    assert root.get(_page("add")).status_code == 403
    assert root.post(_page("add"), {}).status_code == 403
    assert root.post(_page("delete", session.pk), {"post": "yes"}).status_code == 403
    root.post(_page("change", session.pk), {"username": "mallory"})

    session.refresh_from_db()
    assert session.username == "alice"


def test_names_that_look_like_markup_are_shown_as_text(
    root: Client, session: TerminalSession
) -> None:
    for address in (_page("changelist"), _page("change", session.pk)):
        page = root.get(address).content.decode()
        assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_the_list_is_filtered_by_person_state_and_reason(
    root: Client, session: TerminalSession
) -> None:
    assert b"1 session" in root.get(_page("changelist") + "?username=alice&state=live").content
    assert b"0 sessions" in root.get(_page("changelist") + "?end_reason=idle").content


def test_terminate_asks_the_host_and_is_on_record(root: Client, session: TerminalSession) -> None:
    page = root.get(_page("change", session.pk)).content.decode()
    assert "Terminate this session" in page
    assert root.get(_page("terminate", session.pk)).status_code == 405

    root.post(_page("terminate", session.pk))

    session.refresh_from_db()
    assert session.end_requested is not None
    assert (session.end_requested_by, session.end_requested_reason) == ("root", "terminated")
    assert AuditEvent.objects.filter(tag="terminal:session:terminate").count() == 1


def test_staff_without_the_permission_cannot_terminate(
    client: Client, session: TerminalSession
) -> None:
    client.force_login(User.objects.create_user("aaron", password="x", is_staff=True))

    client.post(_page("terminate", session.pk))

    session.refresh_from_db()
    assert session.end_requested is None


@pytest.mark.parametrize("number", ["abc", "%20", "3f0b7a52", "_5f"])
def test_an_address_with_a_senseless_number_leads_back(root: Client, number: str) -> None:
    answer = root.get(_page("changelist") + f"{number}/change/")

    assert answer.status_code == 302


def test_staff_without_permissions_see_no_session(client: Client, session: TerminalSession) -> None:
    client.force_login(User.objects.create_user("sam", password="x", is_staff=True))

    for address in (_page("changelist"), _page("change", session.pk)):
        answer = client.get(address)
        assert answer.status_code == 403
        assert b"alice" not in answer.content
