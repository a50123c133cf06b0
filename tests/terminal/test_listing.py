"""Lists of sessions: every page, nothing left out, and nothing of what a person may not see."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from access.errors import NotFound
from access.models import Grant
from access.policy import rights_of
from terminal import listing
from terminal.models import State, TerminalSession
from terminal.visibility import seen_by

pytestmark = pytest.mark.django_db

START = timezone.now() - timedelta(days=1)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


def ran(number: int, namespace: str = "shop", **facts: Any) -> TerminalSession:
    """Three sessions begin in each second."""
    started = START + timedelta(seconds=number // 3)
    return TerminalSession(
        id=uuid4(),
        username="alice",
        cluster="demo",
        namespace=namespace,
        pod=f"web-{number}",
        **{"container": "web", **facts},
        pod_uid="u",
        kind="exec",
        state=State.ENDED,
        started=started,
        ended=started,
        end_reason="exited",
    )


def may_view(user: User, namespaces: str, **more: Any) -> Grant:
    scope = {"cluster": "*", "containers": "*", "actions": ["view"], **more}
    return Grant.objects.create(name="look", user=user, namespaces=namespaces, **scope)


def pages(user: User, size: int) -> list[UUID]:
    found: list[UUID] = []
    before: UUID | None = None
    while True:
        page = listing.sessions(user, scope="all", state=None, limit=size, before=before)
        found += [session.id for session, _ in page]
        if len(page) < size:
            return found
        before = page[-1][0].id


@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_pages_hold_everything_once_also_what_began_at_the_same_moment(
    bob: User, size: int
) -> None:
    kept = TerminalSession.objects.bulk_create(ran(number) for number in range(40))
    may_view(bob, "shop")

    found = pages(bob, size)

    assert len(found) == len(set(found)) == 40
    assert set(found) == {session.id for session in kept}


def test_what_is_older_than_many_sessions_of_others_is_found(bob: User) -> None:
    [wanted] = TerminalSession.objects.bulk_create([ran(0, "shop-7")])
    TerminalSession.objects.bulk_create(ran(number, "shop-x") for number in range(3, 703))
    # No index helps with this pattern: the query lets all through, and the grant decides.
    may_view(bob, "shop-[0-9]")

    found = listing.sessions(bob, scope="all", state=None, limit=50, before=None)

    assert [session.id for session, _ in found] == [wanted.id]


def test_a_page_after_a_session_that_never_was_is_refused(bob: User) -> None:
    with pytest.raises(NotFound):
        listing.sessions(bob, scope="all", state=None, limit=5, before=uuid4())


PATTERNS = ["*", "shop", "sh*", "?hop", "[st]hop", "other,shop", "*op", "SHOP", "shop-*"]
NAMES = ["shop", "thop", "shop-1", "other", "hop", "sh"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("actions", [["view"], ["terminate"], ["exec"], ["view", "debug"]])
def test_the_query_lets_nobody_miss_what_the_grants_allow(
    bob: User, pattern: str, actions: list[str]
) -> None:
    containers = ["web", "hatchway-debug-1", "sh"]
    places = itertools.product(NAMES, containers)
    rows = TerminalSession.objects.bulk_create(
        ran(number, name, container=container) for number, (name, container) in enumerate(places)
    )
    Grant.objects.create(
        name="look", user=bob, actions=actions, cluster="d*", namespaces=pattern, containers="web"
    )

    allowed = {row.id for row in rows if listing.rights_on(bob, row)}
    let_through = set(
        TerminalSession.objects.filter(seen_by(bob, rights_of(bob), [])).values_list(
            "id", flat=True
        )
    )

    assert allowed <= let_through
    assert set(pages(bob, 100)) == allowed


def test_the_query_holds_back_what_no_grant_is_for(bob: User) -> None:
    TerminalSession.objects.bulk_create(ran(number, "other") for number in range(5))
    may_view(bob, "shop,sh*")

    assert not TerminalSession.objects.filter(seen_by(bob, rights_of(bob), [])).exists()


def test_a_selector_lets_nobody_into_what_is_not_held_here(bob: User) -> None:
    [row] = TerminalSession.objects.bulk_create([ran(0)])
    may_view(bob, "shop", labels="app!=db")

    assert pages(bob, 10) == []
    assert TerminalSession.objects.filter(seen_by(bob, rights_of(bob), [row.id])).exists()
