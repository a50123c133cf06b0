"""Slow down guessing of passwords: ten failures in five minutes for one name or address."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from zlib import crc32

from django.db.models import Q
from django.utils import timezone

from access.audit import EventTag
from access.errors import TooMany
from access.models import AuditEvent
from protocol.reason import Reason, ReasonCode

MAX_FAILURES = 10
WINDOW = timedelta(minutes=5)
LOCK_SECONDS = 15
"""How long one attempt waits for another one of the same name or address to be over."""

_STRIPES = [threading.Lock() for _ in range(64)]


@contextmanager
def one_attempt(username: str, address: str) -> Iterator[None]:
    """Hold the right to check one password. Raises TooMany with `retry_after` in seconds.

    Failures are counted on the audit trail, where Django's signal puts them. Attempts for one
    name or from one address wait for each other, so that a hundred at once are not all let in
    before the first failure is counted.
    """
    keys = [key for key in (f"name:{username.casefold()}", f"address:{address}") if key[-1] != ":"]
    with ExitStack() as stack:
        for stripe in sorted({crc32(key.encode()) % len(_STRIPES) for key in keys}):
            lock = _STRIPES[stripe]
            if not lock.acquire(timeout=LOCK_SECONDS):
                raise TooMany(Reason(ReasonCode.SIGN_IN_BUSY), retry_after=60)
            stack.callback(lock.release)
        wait = _seconds_to_wait(username, address)
        if wait:
            raise TooMany(Reason.of(ReasonCode.SIGN_IN_SLOWED, seconds=wait), retry_after=wait)
        yield


def _seconds_to_wait(username: str, address: str) -> int:
    now = timezone.now()
    subjects = [Q(username__iexact=username)]
    if address:
        subjects.append(Q(address=address))
    waits = [0]
    for subject in subjects:
        times = list(
            AuditEvent.objects.filter(
                subject, tag=EventTag.LOGIN_FAIL.value, time__gt=now - WINDOW
            ).values_list("time", flat=True)[:MAX_FAILURES]
        )
        if len(times) == MAX_FAILURES:
            # Newest first: when the tenth newest leaves the window, one more try is free.
            waits.append(math.ceil((times[-1] + WINDOW - now).total_seconds()))
    return max(waits)
