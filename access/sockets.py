"""How many sockets are open in this process, by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from access.errors import TooMany

_open: Counter[int] = Counter()


@contextmanager
def counted(user_id: int) -> Iterator[None]:
    """Count one socket of the person while the context is open. Raises TooMany at the limit."""
    mine = settings.HATCHWAY_SOCKETS_PER_PERSON
    if _open[user_id] >= mine:
        raise TooMany(
            f"You have {mine} connections open, which is the limit. Close a tab.", limit=mine
        )
    if _open.total() >= settings.HATCHWAY_SOCKETS:
        raise TooMany("Hatchway serves as many connections as it may. Try again in a minute.")
    _open[user_id] += 1
    try:
        yield
    finally:
        _open[user_id] -= 1
        if not _open[user_id]:
            del _open[user_id]


def open_sockets(user_id: int | None = None) -> int:
    """Return how many sockets are open: of one person, or of all."""
    return _open.total() if user_id is None else _open[user_id]
