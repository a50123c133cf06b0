"""Looks every second for sessions that must end: asked to, or the right is gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError, connection
from django.utils import timezone

from access.actions import Action
from access.cluster_rights import ClusterRights
from access.revocation import Holding, Lookout
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused
from terminal import lifecycle
from terminal.models import Host, State, TerminalSession
from terminal.session.ending import Ending, EndReason
from terminal.session.live import LiveSession

log = logging.getLogger(__name__)

REVOCATION_SECONDS = 2.0
"""How often log-outs, disabled accounts, changed passwords and grants are looked for (the promise
is five seconds)."""
RIGHTS_SECONDS = 45.0
"""How often the cluster is asked again (the promise is sixty seconds)."""
RIGHTS_AT_ONCE = 8
"""Questions to the cluster at the same time."""
RIGHTS_ANSWER_SECONDS = 2.0
"""How long a cluster may take to answer: log-outs are looked for in the same round."""
TRAFFIC_SECONDS = 15.0
"""How often byte counts and the host's sign of life are written."""

_REQUESTED = {
    EndReason.TERMINATED: "An administrator ended the session.",
    EndReason.CLOSED_BY_OWNER: "The session was closed.",
    EndReason.REVOKED: "The login session ended.",
}


class DatabaseSentinel:
    """The session core's Sentinel: a handful of queries a second, however many sessions."""

    def __init__(self, rights: ClusterRights, host_name: str) -> None:
        self._rights = rights
        self._host_name = host_name
        self._revocation_at = 0.0
        self._traffic_at = 0.0
        self._rights_at: dict[UUID, float] = {}
        self._lookout = Lookout()

    async def verdicts(self, sessions: Sequence[LiveSession]) -> Mapping[UUID, Ending]:
        """Return the sessions that must end now. A database that is away ends none."""
        now = time.monotonic()
        verdicts: dict[UUID, Ending] = {}
        try:
            verdicts |= await database_sync_to_async(self._requested)(sessions)
            if now - self._revocation_at >= REVOCATION_SECONDS:
                self._revocation_at = now
                verdicts |= await database_sync_to_async(self._revoked)(sessions)
            if now - self._traffic_at >= TRAFFIC_SECONDS:
                self._traffic_at = now
                await database_sync_to_async(self._note)(sessions)
        except DatabaseError as error:
            log.warning("sessions could not be checked: %s", error)
        return verdicts | await self._without_rights(sessions, now)

    def _requested(self, sessions: Sequence[LiveSession]) -> dict[UUID, Ending]:
        if not _is_any_end_requested(self._host_name):
            return {}
        ids = [session.spec.id for session in sessions]
        rows = TerminalSession.objects.filter(
            id__in=ids, end_requested__isnull=False, state__in=[State.STARTING, State.LIVE]
        ).values_list("id", "end_requested_reason", "end_requested_by", "end_requested_note")
        return {
            session_id: Ending(
                EndReason(reason),
                _REQUESTED.get(EndReason(reason), "The session was ended."),
                data={"by": by, "note": note},
            )
            for session_id, reason, by, note in rows
        }

    def _revoked(self, sessions: Sequence[LiveSession]) -> dict[UUID, Ending]:
        holdings = {
            session.spec.id: Holding(
                user_id=session.holder.user_id,
                login_key=session.holder.login_key,
                auth_hash=session.holder.auth_hash,
                action=Action(session.spec.kind.value),
                target=session.spec.target,
                labels=session.spec.pod.labels,
            )
            for session in sessions
        }
        return {
            session_id: Ending.because(EndReason.REVOKED, revoked.because, why=revoked.why.value)
            for session_id, revoked in self._lookout.check(holdings).items()
        }

    def _note(self, sessions: Sequence[LiveSession]) -> None:
        lifecycle.note_traffic(list(sessions))
        Host.objects.filter(name=self._host_name).update(seen=timezone.now())

    async def _without_rights(
        self, sessions: Sequence[LiveSession], now: float
    ) -> dict[UUID, Ending]:
        living = {session.spec.id for session in sessions}
        self._rights_at = {key: at for key, at in self._rights_at.items() if key in living}
        due = [
            session
            for session in sessions
            if now - self._rights_at.setdefault(session.spec.id, now) >= RIGHTS_SECONDS
        ][:RIGHTS_AT_ONCE]
        for session in due:
            self._rights_at[session.spec.id] = now
        answers = await asyncio.gather(*(self._right_gone(session) for session in due))
        return {
            session.spec.id: ending
            for session, ending in zip(due, answers, strict=True)
            if ending is not None
        }

    async def _right_gone(self, session: LiveSession) -> Ending | None:
        spec = session.spec
        try:
            async with asyncio.timeout(RIGHTS_ANSWER_SECONDS):
                verdict = await self._rights.may(
                    spec.target, spec.identity, spec.kind.value, fresh=True
                )
        except (StreamRefused, TimeoutError):
            # A cluster that does not answer takes no right away: its streams break by themselves.
            return None
        if verdict.allowed:
            return None
        return Ending.because(
            EndReason.REVOKED,
            Reason(ReasonCode.CLUSTER_RIGHTS_GONE),
            why="cluster_rights",
            detail=verdict.reason,
        )


def _is_any_end_requested(host_name: str) -> bool:
    """Ask in plain SQL: it is asked every second, and the ORM would compute ten times as long."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {TerminalSession._meta.db_table} "  # noqa: S608 - our own table
            "WHERE host = %s AND state IN (%s, %s) AND end_requested IS NOT NULL LIMIT 1",
            (host_name, State.STARTING, State.LIVE),
        )
        return cursor.fetchone() is not None
