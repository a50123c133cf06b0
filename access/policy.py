"""Who may do what: every decision names the grant that allows it, or the reason of refusal.

Deny by default. Administrators of the site get nothing by magic: being a superuser lets a person
give out grants in the admin site, where that is recorded, but opens no container by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from access.actions import Action
from access.errors import Forbidden, forbidden
from access.models import Grant
from access.patterns import matches
from access.selector import InvalidSelector, Selector, parse_selector
from protocol.reason import Reason, ReasonCode
from protocol.target import Target

Labels = Mapping[str, str]

DEBUG_PREFIX = "hatchway-debug-"
"""What the names of the debug containers that Hatchway adds begin with."""


class Why(StrEnum):
    """Why something is denied."""

    NO_ACCOUNT = "no_account"
    """Nobody is signed in, or the account is disabled."""
    NO_GRANT = "no_grant"
    """No grant covers this target at all."""
    NO_ACTION = "no_action"
    """Grants cover this target, but none of them allows this action."""
    EXPIRED = "expired"
    """A grant did allow it, until recently."""


_CODES = {
    Why.NO_ACCOUNT: ReasonCode.NO_ACCOUNT,
    Why.NO_GRANT: ReasonCode.NO_GRANT,
    Why.NO_ACTION: ReasonCode.NO_ACTION,
    Why.EXPIRED: ReasonCode.GRANT_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to "may this person do that?"."""

    allowed: bool
    action: Action
    grant_id: UUID | None = None
    grant_name: str = ""
    why: Why | None = None
    """None when allowed."""
    owner: str = ""
    """Whom to ask: the owner of the nearest grant, or the installation's contact."""

    @property
    def reason(self) -> str:
        """One sentence: which grant allows it, or why it is denied and whom to ask."""
        because = self.because
        return str(because) if because else f"Allowed by the grant {self.grant_name}."

    @property
    def because(self) -> Reason | None:
        """Why it is denied and whom to ask; None when allowed."""
        if self.why is None:
            return None
        return Reason.of(_CODES[self.why], action=self.action.value, owner=self.owner)

    def refusal(self) -> Forbidden:
        """Return the error to raise where this decision denies."""
        return forbidden(
            self.because or self.reason,
            action=self.action.value,
            owner=self.owner,
            why=self.why.value if self.why else "",
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A grant, made ready for many decisions."""

    id: UUID
    name: str
    actions: frozenset[str]
    cluster: str
    namespaces: str
    containers: str
    selector: Selector
    until: datetime | None
    owner: str

    @classmethod
    def of(cls, grant: Grant) -> Rule | None:
        """Return the rule of a grant, or None for one whose selector cannot be read."""
        try:
            selector = parse_selector(grant.labels)
        except InvalidSelector:
            return None
        return cls(
            id=grant.id,
            name=grant.name,
            actions=frozenset(map(str, grant.actions)),
            cluster=grant.cluster,
            namespaces=grant.namespaces,
            containers=grant.containers,
            selector=selector,
            until=grant.until,
            owner=grant.owner,
        )

    def is_current(self, now: datetime) -> bool:
        """Return whether the grant has not run out."""
        return self.until is None or now < self.until

    def covers(self, target: Target, labels: Labels | None) -> bool:
        """Return whether the target is one of the grant's. Unknown labels match no selector."""
        return self.covers_pod(target.cluster, target.namespace, labels) and (
            matches(self.containers, target.container) or self._made(target)
        )

    def allows(self, action: Action, target: Target) -> bool:
        """Return whether the grant names the action.

        Who may add a debug container may also enter it: without that it would be of no use.
        """
        return action in self.actions or (
            action in (Action.EXEC, Action.ATTACH) and self._made(target)
        )

    def _made(self, target: Target) -> bool:
        return Action.DEBUG in self.actions and target.container.startswith(DEBUG_PREFIX)

    def covers_pod(self, cluster: str, namespace: str, labels: Labels | None) -> bool:
        """Return whether some container of such a pod may be one of the grant's."""
        return self.covers_namespace(cluster, namespace) and (
            self.selector.selects_all or (labels is not None and self.selector.selects(labels))
        )

    def covers_namespace(self, cluster: str, namespace: str) -> bool:
        """Return whether something in this namespace may be one of the grant's targets."""
        return matches(self.cluster, cluster) and matches(self.namespaces, namespace)


@dataclass(frozen=True, slots=True)
class Rights:
    """All grants of one person at one time. Decides without asking the database again."""

    rules: tuple[Rule, ...] = ()
    is_active: bool = True

    def decide(
        self,
        action: Action,
        target: Target,
        labels: Labels | None = None,
        *,
        now: datetime | None = None,
    ) -> Decision:
        """Return whether the person may do `action` to `target`, a pod with these labels.

        `labels` None means that nobody has read them: then a grant with a selector does not help.
        """
        if not self.is_active:
            return Decision(False, action, why=Why.NO_ACCOUNT)
        now = now or timezone.now()
        why, owner = Why.NO_GRANT, ""
        for rule in self.rules:
            if not rule.covers(target, labels):
                continue
            if not rule.allows(action, target):
                if why is Why.NO_GRANT:
                    why, owner = Why.NO_ACTION, owner or rule.owner
                continue
            if not rule.is_current(now):
                why, owner = Why.EXPIRED, rule.owner or owner
                continue
            return Decision(True, action, rule.id, rule.name, owner=rule.owner)
        return Decision(False, action, why=why, owner=owner or settings.HATCHWAY_CONTACT)

    def could(self, action: Action, target: Target, *, now: datetime | None = None) -> Decision:
        """Return whether the person may do `action` to such a target if its labels are right.

        Asked before the cluster is: whoever is denied here learns nothing of what exists there.
        """
        blind = Rights(
            tuple(replace(rule, selector=Selector()) for rule in self.rules), self.is_active
        )
        return blind.decide(action, target, now=now)

    def actions(self, *, now: datetime | None = None) -> frozenset[Action]:
        """Return every action that some current grant allows somewhere."""
        found = {name for rule in self._current(now) for name in rule.actions}
        return frozenset(action for action in Action if action in found)

    def sees_cluster(self, cluster: str, *, now: datetime | None = None) -> bool:
        """Return whether the person holds any grant in this cluster."""
        return any(matches(rule.cluster, cluster) for rule in self._current(now))

    def sees_namespace(self, cluster: str, namespace: str, *, now: datetime | None = None) -> bool:
        """Return whether the person holds any grant in this namespace."""
        return any(rule.covers_namespace(cluster, namespace) for rule in self._current(now))

    def sees_container(
        self, target: Target, labels: Labels, *, now: datetime | None = None
    ) -> bool:
        """Return whether the person holds any grant for this container."""
        return any(rule.covers(target, labels) for rule in self._current(now))

    def _current(self, now: datetime | None) -> Iterable[Rule]:
        if not self.is_active:
            return ()
        moment = now or timezone.now()
        return (rule for rule in self.rules if rule.is_current(moment))


def rights_from(grants: Iterable[Grant], *, is_active: bool = True) -> Rights:
    """Return the rights that these grants give."""
    rules = (Rule.of(grant) for grant in grants)
    return Rights(tuple(rule for rule in rules if rule is not None), is_active)


_KEPT = "_hatchway_grants"


def grants_of(user: Any) -> Sequence[Grant]:
    """Return the person's enabled grants, their own and their groups', also expired ones.

    Asks the database once for each `user` object: that is once in a request. Whoever keeps a user
    object for longer must use `fresh_rights_of`.
    """
    if not getattr(user, "is_active", False) or user.pk is None:
        return ()
    kept = getattr(user, _KEPT, None)
    if kept is None:
        kept = tuple(_query(user.pk))
        setattr(user, _KEPT, kept)
    grants: tuple[Grant, ...] = kept
    return grants


def rights_of(user: Any) -> Rights:
    """Return what the person may do, as `grants_of` knows it."""
    return rights_from(grants_of(user), is_active=bool(getattr(user, "is_active", False)))


def fresh_rights_of(user_id: int) -> Rights:
    """Return what the account may do now, read from the database."""
    from django.contrib.auth import get_user_model

    is_active = get_user_model()._default_manager.filter(pk=user_id, is_active=True).exists()
    return rights_from(_query(user_id) if is_active else (), is_active=is_active)


def can(user: Any, action: Action, target: Target, labels: Labels | None = None) -> Decision:
    """Return whether the person may do `action` to `target`, a pod with these labels."""
    return rights_of(user).decide(action, target, labels)


def could(user: Any, action: Action, target: Target) -> Decision:
    """Return whether the person may do `action` to `target` if its labels are right."""
    return rights_of(user).could(action, target)


def visible(user: Any) -> Rights:
    """Return the person's rights, to ask them what the tree may show."""
    return rights_of(user)


def _query(user_id: int) -> Iterable[Grant]:
    return (
        Grant.objects.filter(enabled=True)
        .filter(Q(user_id=user_id) | Q(group__user=user_id))
        .distinct()
    )
