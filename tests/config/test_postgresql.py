"""The same migrations and the same accounts on the other database engine."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """Return the address of a new database with our tables; it is dropped afterwards."""
    server = os.environ.get("HATCHWAY_TEST_DATABASE_URL", "")
    if not server:
        pytest.skip("needs a PostgreSQL server: set HATCHWAY_TEST_DATABASE_URL")
    name = f"hatchway_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        manage(url, "migrate", "--no-input")
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(database_url: str, *arguments: str) -> str:
    """Run a management command on that database."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout


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

    assert manage(database_url, "shell", "-v", "0", "-c", script).split() == ["refused", "1"]
