"""Keeps the durable record of live sessions in the database, off the byte path."""

from __future__ import annotations

import asyncio
import logging

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError

from terminal import lifecycle
from terminal.session.ending import Ending
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1, 2, 5)
"""Pauses between attempts to write an end while the database is away: within the ten seconds that
the core gives one entry (limits.LEDGER_SECONDS). After that the host's heartbeat closes the row."""


class DatabaseLedger:
    """The session core's Ledger over Django's ORM."""

    async def went_live(self, session: LiveSession) -> None:
        """Note that the stream is open. A database that is away does not stop the session."""
        try:
            await database_sync_to_async(lifecycle.go_live)(session.spec.id)
        except (OperationalError, InterfaceError) as error:
            log.warning("session %s is live, but not noted: %s", session.spec.id, error)

    async def ended(self, session: LiveSession, ending: Ending, reaped: Reaped | None) -> None:
        """Note the end, trying again while the database is away."""
        for pause in (*RETRY_SECONDS, None):
            try:
                await database_sync_to_async(lifecycle.end)(
                    session.spec.id,
                    ending,
                    bytes_out=session.bytes_out,
                    bytes_in=session.bytes_in,
                    reaped=reaped,
                )
            except DatabaseError as error:
                if pause is None:
                    log.error("end of session %s could not be noted: %s", session.spec.id, error)
                    return
                await asyncio.sleep(pause)
            else:
                return
