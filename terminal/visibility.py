"""Which sessions a person may see, as far as a query can say it.

The query may let too many through, never too few: `listing` asks the grants about each row that
comes back. So a page costs what is on it, and not what others have run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from access.actions import Action
from access.patterns import split_patterns
from access.policy import DEBUG_PREFIX, Rights, Rule

_LOOKING = {Action.VIEW.value, Action.TERMINATE.value}
_NOTHING = Q(pk__in=[])


def seen_by(user: Any, rights: Rights, held_here: Iterable[UUID]) -> Q:
    """Return a filter that no session which the person may see fails.

    `held_here` are the sessions whose pods' labels are known: a grant with a selector lets nobody
    into any other.
    """
    found, now, held = Q(user=user), timezone.now(), list(held_here)
    for rule in rights.rules if rights.is_active else ():
        if rule.is_current(now) and _LOOKING & rule.actions:
            found |= _covered(rule, held)
    return found


def _covered(rule: Rule, held: list[UUID]) -> Q:
    containers = _names("container", rule.containers)
    if Action.DEBUG in rule.actions:
        containers |= Q(container__startswith=DEBUG_PREFIX)
    covered = _names("cluster", rule.cluster) & _names("namespace", rule.namespaces) & containers
    return covered if rule.selector.selects_all else covered & Q(pk__in=held)


def _names(field: str, patterns: str) -> Q:
    """Return a filter for names that match one of the patterns: by what stands before the first
    wildcard, which an index can find."""
    found = _NOTHING
    for pattern in split_patterns(patterns):
        literal = pattern[: next((i for i, sign in enumerate(pattern) if sign in "*?["), None)]
        if literal == pattern:
            found |= Q(**{field: pattern})
        elif literal:
            found |= Q(**{f"{field}__startswith": literal})
        else:
            return Q()
    return found
