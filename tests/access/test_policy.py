"""access.policy: deny by default, and every decision says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.utils import timezone

from access.actions import Action
from access.policy import Why, can, could, fresh_rights_of, grants_of, visible
from protocol.target import Target

pytestmark = pytest.mark.django_db

WEB = Target("demo", "shop", "web-1", "web")
LABELS = {"app": "web"}


@pytest.mark.parametrize("action", list(Action))
def test_the_cast_may_what_their_grants_say_and_nothing_else(
    action: Action, alice: Any, bob: Any, charlie: Any, admin: Any
) -> None:
    assert can(alice, action, WEB, LABELS).allowed is (
        action in (Action.EXEC, Action.ATTACH, Action.DEBUG)
    )
    assert can(bob, action, WEB, LABELS).allowed is (action is Action.VIEW)
    assert not can(charlie, action, WEB, LABELS).allowed
    assert not can(admin, action, WEB, LABELS).allowed
    assert not can(AnonymousUser(), action, WEB, LABELS).allowed


@pytest.mark.parametrize(
    "target",
    [
        Target("prod", "shop", "web-1", "web"),
        Target("demo", "vault", "web-1", "web"),
        Target("demo", "shop2", "web-1", "web"),
    ],
)
def test_a_grant_ends_where_its_patterns_end(alice: Any, target: Target) -> None:
    decision = can(alice, Action.EXEC, target, LABELS)

    assert not decision.allowed
    assert decision.why is Why.NO_GRANT


def test_a_decision_names_its_grant(alice: Any) -> None:
    decision = can(alice, Action.EXEC, WEB, LABELS)

    assert decision.grant_name == "shop operators"
    assert decision.grant_id == grants_of(alice)[0].pk
    assert "shop operators" in decision.reason


def test_a_refusal_says_why_and_whom_to_ask(bob: Any, charlie: Any, settings: Any) -> None:
    settings.HATCHWAY_CONTACT = "the platform team"

    refused = can(bob, Action.EXEC, WEB, LABELS)
    assert (refused.why, refused.owner) == (Why.NO_ACTION, "olga")
    assert refused.refusal().data["owner"] == "olga"
    assert "olga" in refused.reason

    assert can(charlie, Action.EXEC, WEB, LABELS).owner == "the platform team"


def test_a_label_selector_needs_known_and_right_labels(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    make_grant(charlie, Action.EXEC, labels="app in (web)")

    assert can(charlie, Action.EXEC, WEB, {"app": "web"}).allowed
    assert not can(charlie, Action.EXEC, WEB, {"app": "api"}).allowed
    assert not can(charlie, Action.EXEC, WEB, {}).allowed
    assert not can(charlie, Action.EXEC, WEB, None).allowed
    assert could(charlie, Action.EXEC, WEB).allowed
    assert not could(charlie, Action.EXEC, Target("demo", "vault", "a", "b")).allowed


def test_a_container_pattern_is_for_containers(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    make_grant(charlie, Action.EXEC, containers="web,side-*")

    assert can(charlie, Action.EXEC, Target("demo", "shop", "p", "side-car"), {}).allowed
    assert not can(charlie, Action.EXEC, Target("demo", "shop", "p", "vault"), {}).allowed


def test_who_may_debug_may_enter_the_debug_container_and_no_other(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    make_grant(charlie, Action.DEBUG, containers="web")
    made = Target("demo", "shop", "web-1", "hatchway-debug-0a1b2c3d")

    assert can(charlie, Action.ATTACH, made, {}).allowed
    assert not can(charlie, Action.ATTACH, WEB, {}).allowed
    assert not can(charlie, Action.VIEW, made, {}).allowed


def test_a_grant_runs_out(charlie: Any, make_grant: Callable[..., Any]) -> None:
    make_grant(charlie, Action.EXEC, until=timezone.now() - timedelta(seconds=1))

    decision = can(charlie, Action.EXEC, WEB, {})

    assert not decision.allowed
    assert decision.why is Why.EXPIRED
    assert not visible(charlie).sees_cluster("demo")


def test_a_grant_that_is_switched_off_gives_nothing(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    make_grant(charlie, Action.EXEC, enabled=False)

    assert not can(charlie, Action.EXEC, WEB, {}).allowed


def test_a_group_s_grant_is_its_members_grant(charlie: Any, make_grant: Callable[..., Any]) -> None:
    team = Group.objects.create(name="team")
    make_grant(team, Action.EXEC)
    assert not can(charlie, Action.EXEC, WEB, {}).allowed

    team.user_set.add(charlie)
    charlie = type(charlie).objects.get(pk=charlie.pk)

    assert can(charlie, Action.EXEC, WEB, {}).allowed


def test_a_disabled_account_may_nothing(alice: Any) -> None:
    alice.is_active = False
    alice.save()

    assert can(alice, Action.EXEC, WEB, LABELS).why is Why.NO_ACCOUNT
    assert not fresh_rights_of(alice.pk).decide(Action.EXEC, WEB, LABELS).allowed


def test_grants_are_loaded_once_for_many_decisions(
    alice: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        for number in range(20):
            can(alice, Action.EXEC, Target("demo", "shop", f"web-{number}", "web"), LABELS)


def test_what_the_tree_may_show(bob: Any, charlie: Any, make_grant: Callable[..., Any]) -> None:
    make_grant(charlie, Action.EXEC, namespaces="shop-*", labels="app=web", containers="web")
    rights = visible(charlie)

    assert rights.sees_cluster("demo")
    assert not rights.sees_cluster("prod")
    assert rights.sees_namespace("demo", "shop-a")
    assert not rights.sees_namespace("demo", "shop")
    assert not rights.sees_container(Target("demo", "shop-a", "p", "side"), {"app": "web"})
    assert visible(bob).actions() == {Action.VIEW}
