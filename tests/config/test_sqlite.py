"""How SQLite is opened where it is the database."""

from __future__ import annotations

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="another database is configured"),
]


@pytest.mark.parametrize(
    ("pragma", "value"),
    # NORMAL is 1; a negative cache is in KiB.
    [("synchronous", 1), ("cache_size", -256)],
)
def test_a_connection_keeps_little_and_writes_safely(pragma: str, value: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        assert cursor.fetchone() == (value,)
