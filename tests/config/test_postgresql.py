"""The same migrations and the same accounts on the other database engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.databases import manage, new_database, run


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a new database with our tables."""
    folder: Path = tmp_path_factory.mktemp("postgresql")
    with new_database("postgresql", folder) as url:
        yield url


def test_migrations_and_demo_accounts_work(database_url: str) -> None:
    said = manage(database_url, "makedemo")

    assert "Demo accounts: alice" in said
    assert "No planned migration operations" in manage(database_url, "migrate", "--plan")


def test_an_audit_event_cannot_be_changed(database_url: str) -> None:
    script = (
        "from access.models import AppendOnly, AuditEvent\n"
        "AuditEvent(tag='x').save()\n"
        "try: AuditEvent.objects.update(tag='y')\n"
        "except AppendOnly: print('refused')\n"
        "print(AuditEvent.objects.count())"
    )

    assert run(database_url, script) == ["refused", "1"]
