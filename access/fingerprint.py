"""The stored rows on which a person's rights rest, read with next to no computing.

Rights are looked at every two seconds for as long as something lives by them, and nearly always
nothing has changed. Equal rows mean that. The statements are written out because composing them
takes the ORM ten times as long as the database needs to answer them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.utils import timezone

from access.models import Grant

Rows = tuple[tuple[Any, ...], ...]


def fingerprint(user_ids: Iterable[int], login_keys: Iterable[str]) -> tuple[Rows, Rows, Rows]:
    """Return the living login sessions, the accounts, and the grants that count for these.

    What expires is left out when its time has come. Both must name somebody. Blocks; three
    queries.
    """
    users, keys = sorted(set(user_ids)), sorted(set(login_keys))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    logins, accounts, grants = _statements()
    with connection.cursor() as cursor:

        def rows(statement: str, *parameters: Any) -> Rows:
            cursor.execute(statement, parameters)
            return tuple(cursor.fetchall())

        return (
            rows(logins.format(keys=_places(keys)), *keys, now),
            rows(accounts.format(users=_places(users)), *users),
            rows(grants.format(users=_places(users)), now, *users, *users),
        )


def _places(values: list[Any]) -> str:
    return ", ".join(["%s"] * len(values))


@cache
def _statements() -> tuple[str, str, str]:
    account = get_user_model()
    membership = account._meta.get_field("groups")
    assert isinstance(membership, models.ManyToManyField)
    through = membership.remote_field.through
    assert through is not None
    member, group = membership.m2m_column_name(), membership.m2m_reverse_name()
    columns = ", ".join(f"g.{_quoted(str(field.column))}" for field in Grant._meta.concrete_fields)
    # Names of our own tables and columns; every value is a parameter.
    return (
        f"SELECT session_key FROM {_table(Session)} "  # noqa: S608
        "WHERE session_key IN ({keys}) AND expire_date > %s ORDER BY session_key",
        f"SELECT id, is_active, password FROM {_table(account)} "  # noqa: S608
        "WHERE id IN ({users}) ORDER BY id",
        f"SELECT {columns}, m.{member} FROM {_table(Grant)} g "  # noqa: S608
        f"LEFT JOIN {_table(through)} m ON m.{group} = g.group_id "
        "WHERE g.enabled AND (g.until IS NULL OR g.until > %s) "
        f"AND (g.user_id IN ({{users}}) OR m.{member} IN ({{users}})) ORDER BY g.id, m.{member}",
    )


def _table(model: type[models.Model]) -> str:
    return _quoted(model._meta.db_table)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
