"""access.models: grants that make sense, events that stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from access.audit import EventTag, arecord, record
from access.models import AppendOnly, AuditEvent, Grant
from access.policy import can
from protocol.target import Target

pytestmark = pytest.mark.django_db

WEB = Target("demo", "shop", "web-1", "web")


@pytest.mark.parametrize("both", [True, False])
def test_a_grant_is_for_one_subject(alice: Any, both: bool) -> None:
    group = Group.objects.create(name="team")

    with pytest.raises(IntegrityError):
        Grant.objects.create(
            name="x", actions=["exec"], user=alice if both else None, group=group if both else None
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": []},
        {"actions": ["fly"]},
        {"actions": ["exec", "exec"]},
        {"actions": "exec"},
        {"namespaces": "Shop"},
        {"cluster": ""},
        {"labels": "app=web,"},
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(alice: Any, wrong: dict[str, Any]) -> None:
    grant = Grant(**{"name": "x", "actions": ["exec"], "user": alice, **wrong})

    with pytest.raises(ValidationError):
        grant.full_clean()


def test_an_event_is_never_changed_or_removed(alice: Any) -> None:
    event = record(EventTag.LOGIN_START, user=alice)
    event.username = "mallory"

    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(username="mallory"),
        lambda: AuditEvent.objects.bulk_update([event], ["username"]),
        lambda: AuditEvent.objects.bulk_create(
            [AuditEvent(pk=event.pk, username="mallory")],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["username"],
        ),
        lambda: AuditEvent._base_manager.filter(pk=event.pk).update(username="mallory"),
        lambda: AuditEvent.objects.filter(pk=event.pk)._raw_delete("default"),
        lambda: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"username": "mallory"}),
    ):
        with pytest.raises(AppendOnly):
            attempt()
    assert AuditEvent.objects.get(pk=event.pk).username == "alice"


def test_events_outlive_the_account(alice: Any) -> None:
    event = record(EventTag.LOGIN_START, user=alice, address="203.0.113.9")

    alice.delete()

    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.username, kept.address) == ("alice", "203.0.113.9")


def test_an_event_keeps_who_what_where_and_why(bob: Any) -> None:
    from access.actions import Action

    decision = can(bob, Action.EXEC, WEB, {})
    event = record(
        EventTag.ACCESS_REFUSED, user=bob, target=WEB, decision=decision, data={"kind": "exec"}
    )

    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.cluster, kept.namespace, kept.pod, kept.container) == tuple(str(WEB).split("/"))
    assert kept.reason == decision.reason
    assert kept.data == {"action": "exec", "kind": "exec"}


def test_names_from_outside_are_cut_and_cleaned(db: None) -> None:
    event = record(EventTag.LOGIN_FAIL, username="a\x00b" + "x" * 400)

    assert event.username == ("ab" + "x" * 400)[:150]


@pytest.mark.django_db(transaction=True)
async def test_events_are_written_from_coroutines_too(alice: Any) -> None:
    event = await arecord(EventTag.SESSION_START, user=alice, target=WEB)

    assert await AuditEvent.objects.filter(pk=event.pk).aexists()
