"""How many sockets are open in this process, by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from access.errors import TooMany
from protocol.reason import Reason, ReasonCode

_open: Counter[int] = Counter()


@contextmanager
def counted(user_id: int) -> Iterator[None]:
    """Count one socket of the person while the context is open. Raises TooMany at the limit."""
    mine = settings.HATCHWAY_SOCKETS_PER_PERSON
    if _open[user_id] >= mine:
        raise TooMany(Reason.of(ReasonCode.SOCKETS_LIMIT, limit=mine), limit=mine)
    if _open.total() >= settings.HATCHWAY_SOCKETS:
        raise TooMany(Reason(ReasonCode.SERVER_FULL))
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
