"""The database itself keeps audit events as they are, whoever asks it to change one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.databases import ENGINES, manage, new_database, run

ATTEMPT = """
from django.db import IntegrityError, connection, transaction
from access.models import AuditEvent
AuditEvent(tag='x', username='alice').save()
for sql in {statements!r}:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
        print('done:', sql)
    except IntegrityError as error:
        print(str(error).splitlines()[0])
print(AuditEvent.objects.filter(username='alice').exists())
"""
STATEMENTS = [
    "UPDATE access_auditevent SET username = 'mallory'",
    "DELETE FROM access_auditevent",
]


@pytest.fixture(scope="module", params=ENGINES)
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("append-only")
    with new_database(request.param, folder) as url:
        yield url


def test_sql_that_goes_past_the_models_changes_no_event(database_url: str) -> None:
    statements = [*STATEMENTS]
    if database_url.startswith("postgres"):
        statements.append("TRUNCATE access_auditevent")

    said = run(database_url, ATTEMPT.format(statements=statements))

    assert said == ["audit events are append-only"] * len(statements) + ["True"]


def test_an_account_with_events_can_be_deleted(database_url: str) -> None:
    script = (
        "from django.contrib.auth.models import User\n"
        "from access.audit import EventTag, record\n"
        "from access.models import AuditEvent\n"
        "user = User.objects.create_user('carol')\n"
        "record(EventTag.LOGIN_START, user=user)\n"
        "user.delete()\n"
        "print(AuditEvent.objects.filter(username='carol').count())"
    )

    assert run(database_url, script) == ["1"]


def test_the_migration_can_be_taken_back_and_done_again(database_url: str) -> None:
    manage(database_url, "migrate", "access", "0001")
    manage(database_url, "migrate", "access")

    said = run(database_url, ATTEMPT.format(statements=STATEMENTS))

    assert said[:2] == ["audit events are append-only"] * 2
