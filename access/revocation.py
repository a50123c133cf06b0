"""What must stop now: one batch, three queries, whatever its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from access.actions import Action
from access.fingerprint import fingerprint
from access.models import Grant
from access.policy import Rights, rights_from
from protocol.reason import Reason, ReasonCode
from protocol.target import Target

Key = TypeVar("Key", bound=Hashable)


class Why(StrEnum):
    """What was taken away."""

    SIGNED_OUT = "signed_out"
    """The login session ended: signed out, expired, or removed."""
    DISABLED = "disabled"
    """The account is disabled or deleted."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    GRANT_GONE = "grant_gone"
    """No grant allows the action any longer."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that a person goes on doing because it was allowed when it began."""

    user_id: int
    login_key: str
    auth_hash: str
    action: Action | None = None
    """None: only the login session and the account are checked."""
    target: Target | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revoked:
    """Why something must stop."""

    why: Why

    @property
    def because(self) -> Reason:
        """The same for the person."""
        return Reason(ReasonCode(self.why.value))


def check(holdings: Mapping[Key, Holding]) -> dict[Key, Revoked]:
    """Return those that must stop, by the same keys, and why.

    Asks for all login sessions, all accounts and all grants once each.
    """
    if not holdings:
        return {}
    all_of_them = holdings.values()
    keys = {holding.login_key for holding in all_of_them}
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list(
            "session_key", flat=True
        )
    )
    ids = {holding.user_id for holding in all_of_them}
    accounts: dict[int, Any] = get_user_model()._default_manager.in_bulk(ids)
    rights = _rights(ids) if any(holding.action for holding in all_of_them) else {}
    verdicts = {
        key: _verdict(holding, alive, accounts, rights) for key, holding in holdings.items()
    }
    return {key: revoked for key, revoked in verdicts.items() if revoked is not None}


class Lookout:
    """Checks the same things again and again, and computes only when something has changed.

    Belongs to one caller; its calls come one after the other.
    """

    def __init__(self) -> None:
        self._in_order: object = None

    def check(self, holdings: Mapping[Key, Holding]) -> dict[Key, Revoked]:
        """Return what `check` would."""
        if not holdings:
            return {}
        found = fingerprint(
            (holding.user_id for holding in holdings.values()),
            (holding.login_key for holding in holdings.values()),
        )
        looked_at = (dict(holdings), found)
        if looked_at == self._in_order:
            return {}
        # Read before: what changes from here on is seen the next time.
        revoked = check(holdings)
        self._in_order = None if revoked else looked_at
        return revoked


def _verdict(
    holding: Holding, alive: set[str], accounts: dict[int, Any], rights: dict[int, Rights]
) -> Revoked | None:
    account = accounts.get(holding.user_id)
    if account is None or not account.is_active:
        return Revoked(Why.DISABLED)
    valid = [account.get_session_auth_hash(), *account.get_session_auth_fallback_hash()]
    if not any(constant_time_compare(holding.auth_hash, known) for known in valid):
        return Revoked(Why.PASSWORD_CHANGED)
    if holding.login_key not in alive:
        return Revoked(Why.SIGNED_OUT)
    if holding.action is not None and holding.target is not None:
        found = rights.get(holding.user_id, Rights())
        if not found.decide(holding.action, holding.target, holding.labels).allowed:
            return Revoked(Why.GRANT_GONE)
    return None


def _rights(ids: set[int]) -> dict[int, Rights]:
    """Return the rights of several accounts; a group's grant comes once for each member."""
    grants: dict[int, list[Grant]] = defaultdict(list)
    rows = (
        Grant.objects.filter(enabled=True)
        .filter(Q(user__in=ids) | Q(group__user__in=ids))
        .annotate(member=F("group__user"))
        .order_by()
    )
    for grant in rows:
        holder = grant.user_id or grant.member
        if holder in ids:
            grants[holder].append(grant)
    return {user_id: rights_from(found) for user_id, found in grants.items()}
