"""access.revocation: what must stop now, in three queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from access.actions import Action
from access.models import Grant
from access.revocation import Holding, Lookout, Why, check
from protocol.target import Target

pytestmark = pytest.mark.django_db

WEB = Target("demo", "shop", "web-1", "web")


def holding(user: Any, client: Client, action: Action | None = Action.EXEC) -> Holding:
    key = client.session.session_key
    assert key
    return Holding(user.pk, key, client.session["_auth_user_hash"], action, WEB, {"app": "web"})


def why(held: Holding) -> Why | None:
    revoked = check({"it": held}).get("it")
    return revoked.why if revoked else None


@pytest.fixture
def held(alice: Any, browser_of: Callable[[Any], Client]) -> Holding:
    return holding(alice, browser_of(alice))


def test_what_is_in_order_goes_on(held: Holding) -> None:
    assert check({"it": held}) == {}


def test_signing_out_stops_what_this_login_started_and_not_another(
    alice: Any, browser_of: Callable[[Any], Client]
) -> None:
    here, there = browser_of(alice), browser_of(alice)
    held = {"here": holding(alice, here), "there": holding(alice, there)}

    here.logout()

    assert {key: revoked.why for key, revoked in check(held).items()} == {"here": Why.SIGNED_OUT}


def test_an_expired_login_stops(held: Holding) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert why(held) is Why.SIGNED_OUT


def test_a_disabled_or_deleted_account_stops(alice: Any, held: Holding) -> None:
    alice.is_active = False
    alice.save()
    assert why(held) is Why.DISABLED

    alice.delete()
    assert why(held) is Why.DISABLED


def test_a_changed_password_stops(alice: Any, held: Holding) -> None:
    alice.set_password("another one entirely")
    alice.save()

    assert why(held) is Why.PASSWORD_CHANGED


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"namespaces": "vault"},
        {"actions": ["view"]},
        {"labels": "app=api"},
        {"containers": "side"},
        {"until": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_grant_that_no_longer_covers_stops(held: Holding, change: dict[str, Any]) -> None:
    Grant.objects.update(**change)

    assert why(held) is Why.GRANT_GONE


def test_leaving_the_group_with_the_grant_stops(
    charlie: Any, make_grant: Callable[..., Any], browser_of: Callable[[Any], Client]
) -> None:
    team = Group.objects.create(name="team")
    team.user_set.add(charlie)
    make_grant(team, Action.EXEC)
    held = holding(charlie, browser_of(charlie))
    assert why(held) is None

    team.user_set.remove(charlie)

    assert why(held) is Why.GRANT_GONE


def test_without_an_action_only_the_login_counts(
    charlie: Any, browser_of: Callable[[Any], Client]
) -> None:
    assert why(holding(charlie, browser_of(charlie), None)) is None


def test_a_hundred_take_three_queries(
    alice: Any,
    bob: Any,
    browser_of: Callable[[Any], Client],
    django_assert_max_num_queries: Any,
) -> None:
    clients = {user: browser_of(user) for user in (alice, bob)}
    held = {number: holding(user, clients[user]) for number, user in enumerate([alice, bob] * 50)}

    with django_assert_max_num_queries(3):
        revoked = check(held)

    assert len(revoked) == 50
    assert {found.why for found in revoked.values()} == {Why.GRANT_GONE}


def test_nothing_to_check_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert check({}) == {}


def _signs_out(alice: Any) -> None:
    Session.objects.all().delete()


def _expires(alice: Any) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def _is_disabled(alice: Any) -> None:
    alice.is_active = False
    alice.save()


def _changes_the_password(alice: Any) -> None:
    alice.set_password("another long phrase")
    alice.save()


def _loses_the_grant(alice: Any) -> None:
    Grant.objects.all().delete()


def _has_another_grant(alice: Any) -> None:
    Grant.objects.update(namespaces="bank")


def _grant_runs_out(alice: Any) -> None:
    Grant.objects.update(until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_signs_out, Why.SIGNED_OUT),
        (_expires, Why.SIGNED_OUT),
        (_is_disabled, Why.DISABLED),
        (_changes_the_password, Why.PASSWORD_CHANGED),
        (_loses_the_grant, Why.GRANT_GONE),
        (_has_another_grant, Why.GRANT_GONE),
        (_grant_runs_out, Why.GRANT_GONE),
    ],
)
def test_a_lookout_sees_every_change(
    alice: Any, held: Holding, change: Callable[[Any], None], reason: Why
) -> None:
    lookout = Lookout()
    assert lookout.check({"it": held}) == {}

    change(alice)

    for _ in range(2):
        assert {key: found.why for key, found in lookout.check({"it": held}).items()} == {
            "it": reason
        }


def test_a_lookout_sees_that_somebody_left_the_group(
    charlie: Any, browser_of: Callable[[Any], Client]
) -> None:
    group = Group.objects.create(name="night shift")
    charlie.groups.add(group)
    Grant.objects.create(name="nights", group=group, actions=["exec"], cluster="demo")
    held = holding(charlie, browser_of(charlie))
    lookout = Lookout()
    assert lookout.check({"it": held}) == {}

    charlie.groups.clear()

    assert lookout.check({"it": held})["it"].why is Why.GRANT_GONE


def test_a_lookout_sees_the_end_of_a_grant_that_nobody_touched(
    held: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    Grant.objects.update(until=timezone.now() + timedelta(minutes=5))
    lookout = Lookout()
    assert lookout.check({"it": held}) == {}

    later = timezone.now() + timedelta(minutes=6)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert lookout.check({"it": held})["it"].why is Why.GRANT_GONE


def test_a_lookout_checks_what_is_new(
    alice: Any, bob: Any, held: Holding, browser_of: Callable[[Any], Client]
) -> None:
    lookout = Lookout()
    assert lookout.check({"it": held}) == {}

    new = holding(bob, browser_of(bob))

    assert lookout.check({"it": held, "new": new})["new"].why is Why.GRANT_GONE


def test_a_lookout_checks_another_target_of_the_same_person(held: Holding) -> None:
    lookout = Lookout()
    assert lookout.check({"it": held}) == {}

    elsewhere = replace(held, target=Target("other", "bank", "vault-1", "vault"))

    assert lookout.check({"it": elsewhere})["it"].why is Why.GRANT_GONE


def test_while_nothing_changes_a_lookout_asks_three_plain_questions(
    held: Holding, django_assert_num_queries: Any
) -> None:
    lookout = Lookout()
    lookout.check({"it": held})
    with django_assert_num_queries(3):
        assert lookout.check({"it": held}) == {}


def test_a_lookout_without_anything_to_check_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Lookout().check({}) == {}
