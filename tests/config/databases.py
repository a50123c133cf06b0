"""New databases of either engine, with our tables, for tests of what the engine itself does."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("sqlite", "postgresql")


@contextmanager
def new_database(engine: str, folder: Path) -> Iterator[str]:
    """Make a database, yield its address, and drop it. Skips where there is no server for it."""
    if engine == "sqlite":
        url = f"sqlite:///{folder / 'hatchway.sqlite3'}"
        manage(url, "migrate", "--no-input")
        yield url
        return
    server = os.environ.get("HATCHWAY_TEST_DATABASE_URL", "")
    if not server:
        pytest.skip("needs a PostgreSQL server: set HATCHWAY_TEST_DATABASE_URL")
    name = f"hatchway_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            manage(url, "migrate", "--no-input")
            yield url
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(database_url: str, *arguments: str) -> str:
    """Run a management command on that database; return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(database_url: str, script: str) -> list[str]:
    """Run Python with our models on that database; return the lines that it printed."""
    return manage(database_url, "shell", "-v", "0", "-c", script).splitlines()
