"""The plain SQL of the sentinel and of its lookout says the same on either database engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.databases import ENGINES, new_database, run

PEOPLE = """
from datetime import timedelta
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.utils import timezone
from access.fingerprint import fingerprint
from access.models import Grant
alice, bob = User.objects.create_user('alice'), User.objects.create_user('bob')
night = Group.objects.create(name='night')
bob.groups.add(night)
now = timezone.now()
Session.objects.create(session_key='a', session_data='', expire_date=now + timedelta(hours=1))
Session.objects.create(session_key='b', session_data='', expire_date=now - timedelta(hours=1))
for name, more in (
    ('hers', {'user': alice}),
    ('ours', {'group': night}),
    ('off', {'user': alice, 'enabled': False}),
    ('late', {'user': alice, 'until': now - timedelta(hours=1)}),
):
    Grant.objects.create(name=name, actions=['exec'], cluster='demo', **more)
logins, accounts, grants = fingerprint([alice.pk, bob.pk], ['a', 'b'])
print([key for key, in logins], len(accounts), sorted(row[1] for row in grants))
print([row[1] for row in fingerprint([bob.pk], ['a'])[2]])
"""

ENDS = """
from django.utils import timezone
from terminal.models import TerminalSession
from terminal.sentinel import _is_any_end_requested as is_any
kept = TerminalSession.objects.create(
    host='here', state='live', started=timezone.now()
)
print(is_any('here'))
kept.end_requested = timezone.now()
kept.save()
print(is_any('here'), is_any('elsewhere'))
kept.state, kept.end_reason, kept.ended = 'ended', 'exited', timezone.now()
kept.save()
print(is_any('here'))
"""


@pytest.fixture(scope="module", params=ENGINES)
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("sentinel")
    with new_database(request.param, folder) as url:
        yield url


def test_only_what_counts_now_is_part_of_a_fingerprint(database_url: str) -> None:
    assert run(database_url, PEOPLE) == ["['a'] 2 ['hers', 'ours']", "['ours']"]


def test_an_end_that_was_asked_of_this_host_is_found(database_url: str) -> None:
    assert run(database_url, ENDS) == ["False", "True False", "False"]
