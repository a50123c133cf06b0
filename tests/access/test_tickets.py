"""access.tickets: once, soon, and for nobody else."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from access.errors import TicketRefused, TooMany
from access.models import Ticket
from access.tickets import LIFETIME, consume, issue

pytestmark = pytest.mark.django_db

LOGIN = "login-session-key"
USE: dict[str, Any] = {"login_key": LOGIN, "purpose": "tty"}


def test_a_ticket_gives_its_payload_back_once(alice: Any) -> None:
    secret = issue(alice, LOGIN, "tty", {"session": "x"})

    assert consume(secret, user_id=alice.pk, **USE) == {"session": "x"}
    with pytest.raises(TicketRefused):
        consume(secret, user_id=alice.pk, **USE)


def test_the_secret_is_not_stored(alice: Any) -> None:
    secret = issue(alice, LOGIN, "tty")

    row = Ticket.objects.values().get()
    assert len(secret) >= 43
    assert secret not in str(row)
    assert LOGIN not in str(row)


@pytest.mark.parametrize(
    "wrong",
    [
        {"login_key": "another login"},
        {"purpose": "targets"},
        {"user_id": 0},
        {"origin": "https://evil.example"},
    ],
)
def test_a_ticket_that_is_shown_wrongly_is_refused_and_used_up(
    alice: Any, wrong: dict[str, Any]
) -> None:
    secret = issue(alice, LOGIN, "tty", origin="https://hatchway.example")
    right: dict[str, Any] = {"user_id": alice.pk, "origin": "https://hatchway.example", **USE}

    with pytest.raises(TicketRefused):
        consume(secret, **{**right, **wrong})
    with pytest.raises(TicketRefused):
        consume(secret, **right)


def test_bob_cannot_use_alice_s_ticket(alice: Any, bob: Any) -> None:
    secret = issue(alice, LOGIN, "tty")

    with pytest.raises(TicketRefused):
        consume(secret, user_id=bob.pk, **USE)


def test_a_ticket_is_too_old_after_thirty_seconds(alice: Any) -> None:
    secret = issue(alice, LOGIN, "tty")
    assert timedelta(seconds=30) == LIFETIME
    Ticket.objects.update(expires=timezone.now())

    with pytest.raises(TicketRefused) as caught:
        consume(secret, user_id=alice.pk, **USE)

    assert caught.value.why == "too old"
    assert "old" not in caught.value.message


def test_made_up_tickets_are_refused(alice: Any) -> None:
    for secret in ("", "x", "A" * 43, "\x00"):
        with pytest.raises(TicketRefused):
            consume(secret, user_id=alice.pk, **USE)


def test_a_person_cannot_hoard_tickets(alice: Any, bob: Any, settings: Any) -> None:
    settings.HATCHWAY_TICKETS_PER_PERSON = 3
    for _ in range(3):
        issue(alice, LOGIN, "tty")

    with pytest.raises(TooMany) as caught:
        issue(alice, LOGIN, "tty")

    assert caught.value.data["retry_after"] == 30
    assert issue(bob, LOGIN, "tty")
    Ticket.objects.filter(user=alice).update(expires=timezone.now())
    assert issue(alice, LOGIN, "tty")


def test_old_tickets_are_cleared_away_by_new_ones(alice: Any, bob: Any) -> None:
    issue(alice, LOGIN, "tty")
    Ticket.objects.update(expires=timezone.now() - timedelta(seconds=1))

    issue(bob, LOGIN, "tty")

    assert Ticket.objects.get().user_id == bob.pk


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_at_once_exactly_one_succeeds(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = issue(alice, LOGIN, "tty")
    outcomes: list[str] = []
    all_have_read = threading.Barrier(8)
    read = QuerySet.first

    def first(rows: Any) -> Any:
        found = read(rows)
        all_have_read.wait(timeout=10)
        return found

    monkeypatch.setattr(QuerySet, "first", first)

    def use() -> None:
        try:
            consume(secret, user_id=alice.pk, **USE)
        except TicketRefused:
            outcomes.append("refused")
        else:
            outcomes.append("used")
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(outcomes) == ["refused"] * 7 + ["used"]
