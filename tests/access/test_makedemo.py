"""makedemo: the demo's accounts, as often as one likes."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command

from access.actions import Action
from access.models import Grant
from access.policy import can
from protocol.target import Target

pytestmark = pytest.mark.django_db

WEB = Target("demo", "shop", "web-1", "web")
RUNNER = Target("demo", "platform", "runner-1", "runner")


def make() -> str:
    out = StringIO()
    call_command("makedemo", stdout=out)
    return out.getvalue()


def test_a_random_password_is_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HATCHWAY_DEMO_PASSWORD", raising=False)

    password = make().splitlines()[0].rsplit(" ", 1)[1]

    for name in ("alice", "bob", "vera", "aaron", "admin"):
        assert authenticate(username=name, password=password) is not None
    assert password not in make()
    assert authenticate(username="alice", password=password) is not None


def test_a_given_password_is_used_and_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATCHWAY_DEMO_PASSWORD", "given-by-the-operator")

    assert "given-by-the-operator" not in make()
    make()

    assert authenticate(username="vera", password="given-by-the-operator") is not None


def test_everybody_may_what_their_part_says() -> None:
    make()
    make()
    users = {user.username: user for user in get_user_model()._default_manager.all()}

    assert Grant.objects.count() == 5
    assert can(users["alice"], Action.EXEC, WEB, {}).allowed
    assert not can(users["alice"], Action.EXEC, RUNNER, {}).allowed
    assert can(users["bob"], Action.EXEC, RUNNER, {}).allowed
    assert not can(users["bob"], Action.EXEC, WEB, {}).allowed
    assert can(users["vera"], Action.VIEW, WEB, {}).allowed
    assert not can(users["vera"], Action.EXEC, WEB, {}).allowed
    assert can(users["admin"], Action.TERMINATE, WEB, {}).allowed
    assert not can(users["aaron"], Action.TERMINATE, WEB, {}).allowed
    assert users["aaron"].is_staff
    assert users["aaron"].has_perm("access.view_auditevent")
    assert not users["aaron"].has_perm("access.change_grant")
