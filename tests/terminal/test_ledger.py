"""How a session ended is written down, also by a database that was away for long."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import DataError, OperationalError

from access.models import AuditEvent
from terminal import hosting, ledger, lifecycle
from terminal.models import TerminalSession
from terminal.session import limits
from tests.terminal.site import Person, give, serving

pytestmark = pytest.mark.django_db(transaction=True)


class Database:
    """Ends of sessions reach the database only while it is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._end = lifecycle.end
        self.error: Exception | None = None
        self.attempts = 0
        monkeypatch.setattr(lifecycle, "end", self.end)

    def end(self, *arguments: Any, **facts: Any) -> bool:
        """Write an end, or fail."""
        self.attempts += 1
        if self.error is not None:
            raise self.error
        return self._end(*arguments, **facts)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """Let time pass fast, and own the way to the database."""
    monkeypatch.setattr(hosting, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(hosting, "NOT_HELD_AFTER", timedelta())
    monkeypatch.setattr(ledger, "RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.0)
    return Database(monkeypatch)


async def _ended(session_id: UUID) -> TerminalSession:
    async with asyncio.timeout(20):
        while (row := await TerminalSession.objects.aget(id=session_id)).state != "ended":
            await asyncio.sleep(0.02)
    return row


async def _exits(database: Database) -> UUID:
    """Let a shell exit, and return its session when its end was tried to be written."""
    user = await User.objects.acreate_user("alice", password="a long pass phrase")
    await give(user, "exec")
    alice = await Person(user).signs_in()
    socket = await alice.opens()
    await socket.sees(b"$ ")
    await socket.types(b"exit\r")
    assert await socket.is_closed() == 1000
    async with asyncio.timeout(20):
        while database.attempts < 6:
            await asyncio.sleep(0.02)
    return UUID(socket.told("welcome")[0]["session"])


async def test_an_end_keeps_its_reason_while_the_database_is_away(database: Database) -> None:
    async with serving():
        database.error = OperationalError("connection refused")
        session_id = await _exits(database)
        away = await TerminalSession.objects.aget(id=session_id)
        assert away.state == "live"

        database.error = None

        row = await _ended(session_id)
        assert (row.end_reason, row.exit_code, row.reaped) == ("exited", 0, True)
        assert row.bytes_in == 5
        last = await AuditEvent.objects.filter(session_id=session_id).order_by("-time").afirst()
        assert last is not None
        assert (last.tag, last.reason) == ("terminal:session:end", "exited")


async def test_an_end_that_can_never_be_written_is_closed_without_its_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving():
        database.error = DataError("value too long")
        end = database.end

        def refuses_details(session_id: UUID, ending: Any, **facts: Any) -> bool:
            if "at" not in facts:
                database.error = None
            return end(session_id, ending, **facts)

        monkeypatch.setattr(lifecycle, "end", refuses_details)
        database.attempts = 5

        row = await _ended(await _exits(database))

        assert row.end_reason == "failed"
