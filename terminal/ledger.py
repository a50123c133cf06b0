"""Keeps the durable record of live sessions in the database, off the byte path."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from access.signals import program_known
from terminal import lifecycle
from terminal.session.ending import Ending
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1, 2, 5)
"""Pauses between attempts to write an end while the database is away: within the ten seconds that
the core gives one entry (limits.LEDGER_SECONDS). After that `settle` writes it."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a session ended, and when."""

    session_id: UUID
    ending: Ending
    at: datetime
    bytes_out: int
    bytes_in: int
    reaped: Reaped | None


class DatabaseLedger:
    """The session core's Ledger over Django's ORM. One process has one."""

    def __init__(self) -> None:
        self._owed: dict[UUID, _End] = {}
        # Bounded by the sessions that lived when the database went away: without it none begins.

    @property
    def owed(self) -> list[UUID]:
        """The sessions whose ends are known here and are not in the database yet."""
        return list(self._owed)

    async def went_live(self, session: LiveSession) -> None:
        """Note that the stream is open. A database that is away does not stop the session."""
        try:
            await database_sync_to_async(lifecycle.go_live)(session.spec.id)
        except (OperationalError, InterfaceError) as error:
            log.warning("session %s is live, but not noted: %s", session.spec.id, error)

    async def learned_program(self, session: LiveSession) -> None:
        """Note which shell `auto` became, and tell the apps that remember what was opened."""
        spec = session.spec
        await database_sync_to_async(lifecycle.note_program)(spec.id, session.program)
        await program_known.asend(
            sender=DatabaseLedger,
            user_id=spec.holder.user_id,
            target=spec.target,
            program=session.program,
        )

    async def ended(self, session: LiveSession, ending: Ending, reaped: Reaped | None) -> None:
        """Note the end, trying again while the database is away. What cannot be written, also
        because this was cancelled, is owed."""
        end = _End(
            session.spec.id, ending, timezone.now(), session.bytes_out, session.bytes_in, reaped
        )
        self._owed[end.session_id] = end
        for pause in RETRY_SECONDS:
            if await self._write(end):
                return
            await asyncio.sleep(pause)
        if not await self._write(end):
            log.error("the end of session %s waits for the database", end.session_id)

    async def settle(self) -> None:
        """Write the ends that are owed, as far as the database is there."""
        for end in list(self._owed.values()):
            if not await self._write(end):
                return

    async def _write(self, end: _End) -> bool:
        """Return whether nothing is owed of this end any more."""
        try:
            await database_sync_to_async(lifecycle.end)(
                end.session_id,
                end.ending,
                at=end.at,
                bytes_out=end.bytes_out,
                bytes_in=end.bytes_in,
                reaped=end.reaped,
            )
        except (OperationalError, InterfaceError) as error:
            log.warning("the end of session %s is not noted yet: %s", end.session_id, error)
            return False
        except DatabaseError:
            # No waiting helps; the host's heartbeat closes the row without the reason.
            log.exception("the end of session %s cannot be noted", end.session_id)
        self._owed.pop(end.session_id, None)
        return True
