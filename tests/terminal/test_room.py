"""How many sessions a person may have holds for those who open many at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.databases import ENGINES, new_database, run

AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from time import sleep
from uuid import uuid4
from django.contrib.auth.models import User
from django.db import connection
from access.errors import TooMany
from access.models import AuditEvent
from terminal import lifecycle
from terminal.models import TerminalSession
from tests.terminal.session.fakes import ALICE
from tests.terminal.session.world import exec_spec
user = User.objects.create_user('alice')
holder = replace(ALICE, user_id=user.pk)
barrier = Barrier(12)
count = lifecycle.check_room
def counts_and_ponders(*arguments):
    count(*arguments)
    sleep(0.1)
lifecycle.check_room = counts_and_ponders
def opens(number):
    barrier.wait()
    spec = replace(exec_spec(), id=uuid4(), holder=holder)
    try:
        lifecycle.create(spec, host='a', grant='g', cols=80, rows=24, most=3)
    except TooMany:
        return 'refused'
    finally:
        connection.close()
    return 'opened'
with ThreadPoolExecutor(12) as threads:
    answers = list(threads.map(opens, range(12)))
print(answers.count('opened'), answers.count('refused'))
print(TerminalSession.objects.count(), AuditEvent.objects.count())
"""


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with new_database(request.param, tmp_path) as url:
        yield url


def test_of_twelve_sessions_opened_at_once_three_are_where_three_may_be(database_url: str) -> None:
    assert run(database_url, AT_ONCE) == ["3 9", "3 3"]
