"""Make the accounts, groups and grants of the demo. Running it again changes nothing else."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from access.actions import Action
from access.models import Grant

PASSWORD_KEY = "HATCHWAY_DEMO_PASSWORD"  # noqa: S105
WORK = (Action.EXEC, Action.ATTACH, Action.DEBUG)


@dataclass(frozen=True, slots=True)
class Account:
    """One person of the demo."""

    username: str
    full_name: str
    group: str
    is_staff: bool = False
    is_superuser: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One grant of the demo, for a group."""

    name: str
    group: str
    actions: tuple[Action, ...]
    namespaces: str
    owner: str


ACCOUNTS = (
    Account("alice", "Alice Operator", "team-a"),
    Account("bob", "Bob Operator", "team-b"),
    Account("vera", "Vera Viewer", "viewers"),
    Account("aaron", "Aaron Auditor", "auditors", is_staff=True),
    Account("admin", "Ada Administrator", "administrators", is_staff=True, is_superuser=True),
)
RULES = (
    Rule("Team A works in its namespaces", "team-a", WORK, "{a}", "alice"),
    Rule("Team B works in its namespaces", "team-b", WORK, "{b}", "bob"),
    Rule("Viewers look on", "viewers", (Action.VIEW,), "*", "admin"),
    Rule("Auditors look on", "auditors", (Action.VIEW,), "*", "admin"),
    Rule(
        "Administrators work everywhere",
        "administrators",
        (*WORK, Action.VIEW, Action.TERMINATE),
        "*",
        "admin",
    ),
)


class Command(BaseCommand):
    """Make the demo's accounts, with one password for all of them."""

    help = "Make the accounts, groups and grants of the demo."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say for which clusters and namespaces the demo's teams are."""
        parser.add_argument("--cluster", default="*", help="cluster patterns (default: all)")
        parser.add_argument("--team-a", default="shop,default", help="namespaces")
        parser.add_argument("--team-b", default="platform", help="namespaces")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing. A new password is printed; one that is kept is not known."""
        given = os.environ.get(PASSWORD_KEY, "").strip()
        made = [account for account in ACCOUNTS if self._make(account)]
        if given:
            self._set_password([account.username for account in ACCOUNTS], given)
            self.stdout.write(f"The password of every demo account is that of {PASSWORD_KEY}.")
        elif made:
            password = secrets.token_urlsafe(12)
            self._set_password([account.username for account in ACCOUNTS], password)
            self.stdout.write(f"The password of every demo account is {password}")
        for rule in RULES:
            self._grant(rule, options)
        names = ", ".join(account.username for account in ACCOUNTS)
        self.stdout.write(f"Demo accounts: {names}.")

    def _make(self, account: Account) -> bool:
        users = get_user_model()._default_manager
        first, last = account.full_name.split(" ", 1)
        user, created = users.get_or_create(
            username=account.username,
            defaults={
                "first_name": first,
                "last_name": last,
                "is_staff": account.is_staff,
                "is_superuser": account.is_superuser,
            },
        )
        group, _ = Group.objects.get_or_create(name=account.group)
        user.groups.add(group)
        if account.group == "auditors":
            readable = ("view_auditevent", "view_grant", "view_terminalsession", "view_participant")
            group.permissions.set(Permission.objects.filter(codename__in=readable))
        return created

    def _set_password(self, usernames: list[str], password: str) -> None:
        """Set it where it differs: setting it anew would end every login session."""
        for user in get_user_model()._default_manager.filter(username__in=usernames):
            if not user.check_password(password):
                user.set_password(password)
                user.save(update_fields=["password"])

    def _grant(self, rule: Rule, options: dict[str, Any]) -> None:
        group, _ = Group.objects.get_or_create(name=rule.group)
        namespaces = rule.namespaces.format(a=options["team_a"], b=options["team_b"])
        Grant.objects.get_or_create(
            name=rule.name,
            group=group,
            defaults={
                "actions": [action.value for action in rule.actions],
                "cluster": options["cluster"],
                "namespaces": namespaces,
                "owner": rule.owner,
            },
        )
