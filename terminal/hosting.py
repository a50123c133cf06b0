"""Owns this process's session host, from start to shutdown, and cleans up after dead ones."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from access.cluster_rights import ClusterRights
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from terminal import lifecycle
from terminal.ledger import DatabaseLedger
from terminal.models import Host, State, TerminalSession
from terminal.sentinel import DatabaseSentinel
from terminal.session.ending import Ending, EndReason
from terminal.session.host import SessionHost
from terminal.session.limits import Limits
from terminal.session.ports import Effort, ExecBackend, Reaper, Screens
from terminal.session.spec import Kind
from terminal.wiring import Unavailable

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
"""How often this host says that it lives and looks for dead ones."""
DEAD_AFTER = timedelta(seconds=40)
"""Silence after which a host on another machine counts as dead: its sessions are closed within a
minute."""
NOT_HELD_AFTER = timedelta(seconds=60)
"""Age at which a session of this host's own that it does not hold counts as left behind: its end
could not be recorded, or it was recorded and never opened. Opening one takes far less."""
REAP_FOR = timedelta(hours=1)
"""How long processes that could not be ended are tried again."""
REAP_AT_ONCE = 20
"""Sessions cleaned up in one round."""
STOP_SECONDS = 12.0
"""How long shutting down may take before what is left is cut."""


def new_host_name() -> str:
    """Return a name for this process that no other one has or will have."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(4)}"


class Hosting:
    """Runs one SessionHost for as long as `serving` is held, once."""

    def __init__(
        self,
        *,
        name: str,
        backend: ExecBackend,
        reaper: Reaper,
        rights: ClusterRights,
        screens: Callable[[], AbstractAsyncContextManager[Screens]],
        effort: Effort,
        limits: Limits,
    ) -> None:
        self.name = name
        self._backend = backend
        self._reaper = reaper
        self._rights = rights
        self._screens = screens
        self._effort = effort
        self._limits = limits
        self._ledger = DatabaseLedger()
        self._host: SessionHost | None = None

    def host(self) -> SessionHost:
        """Return the running host. Raises Unavailable before `serving` began and after it ended."""
        if self._host is None or not self._host.running.is_set():
            raise Unavailable("The server is starting or shutting down; try again in a moment.")
        return self._host

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Hold the host open. Leaving ends every session and their processes in the containers."""
        async with self._screens() as screens, asyncio.TaskGroup() as tasks:
            self._host = SessionHost(
                backend=self._backend,
                reaper=self._reaper,
                ledger=self._ledger,
                sentinel=DatabaseSentinel(self._rights, self.name),
                screens=screens,
                effort=self._effort,
                session_limits=self._limits,
            )
            await database_sync_to_async(_sign_life)(self.name)
            beat = tasks.create_task(self._beat(self._host), name="host heartbeat")
            hosting = tasks.create_task(self._host.run(), name="session host")
            await self._host.running.wait()
            try:
                yield
            finally:
                self._host.close()
                _, late = await asyncio.wait({hosting}, timeout=STOP_SECONDS)
                if late:
                    log.warning("sessions did not end within %s s and are cut", STOP_SECONDS)
                    hosting.cancel()
                beat.cancel()
                await database_sync_to_async(_forget)(self.name)

    async def _beat(self, host: SessionHost) -> None:
        while True:
            try:
                await database_sync_to_async(_sign_life)(self.name)
                await self._ledger.settle()
                held = [session.spec.id for session in host.sessions()] + self._ledger.owed
                for session in await database_sync_to_async(_orphans)(self.name, held):
                    await self._clean_up(session)
            except DatabaseError as error:
                log.warning("heartbeat not written: %s", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _clean_up(self, session: TerminalSession) -> None:
        """Close an orphan's record, then end its processes; whoever closes it does both."""
        lost = (
            Ending.because(EndReason.FAILED, Reason(ReasonCode.NOT_RECORDED))
            if session.host == self.name
            else Ending(EndReason.SERVER_LOST, "The server that held the session was lost.")
        )
        if session.state != State.ENDED:
            if not await database_sync_to_async(lifecycle.end)(session.id, lost):
                return
            log.warning("session %s was left behind by %s", session.id, session.host)
        if session.kind != Kind.EXEC:
            await database_sync_to_async(lifecycle.note_reaped)(session.id, 0, guaranteed=True)
            return
        identity = Identity(session.cluster_user, tuple(session.cluster_groups))
        reaped = await self._reaper.reap(
            session.target,
            identity,
            uid=session.pod_uid,
            container_id=session.container_id,
            marker=session.marker,
        )
        await database_sync_to_async(lifecycle.note_reaped)(
            session.id, reaped.left, guaranteed=reaped.guaranteed
        )


def _sign_life(name: str) -> None:
    now = timezone.now()
    facts: dict[str, Any] = {"machine": socket.gethostname(), "pid": os.getpid(), "seen": now}
    Host.objects.update_or_create(
        name=name, defaults=facts, create_defaults={**facts, "started": now}
    )


def _forget(name: str) -> None:
    try:
        if not TerminalSession.objects.exclude(state=State.ENDED).filter(host=name).exists():
            Host.objects.filter(name=name).delete()
    except DatabaseError as error:
        log.warning("host %s could not sign off: %s", name, error)


def _orphans(own: str, held: list[UUID]) -> list[TerminalSession]:
    """Return sessions that nobody holds any more, and ended ones whose processes may still be
    there. `held` are those of this host that it does hold."""
    now = timezone.now()
    alive = {
        host.name
        for host in Host.objects.filter(seen__gt=now - DEAD_AFTER)
        if host.name == own or not _is_dead_here(host)
    }
    not_held = Q(host=own, started__lt=now - NOT_HELD_AFTER) & ~Q(id__in=held)
    open_ones = TerminalSession.objects.exclude(state=State.ENDED).filter(
        ~Q(host__in=alive) | not_held
    )
    unreaped = TerminalSession.objects.filter(
        state=State.ENDED, reaped=False, ended__gt=now - REAP_FOR
    ).exclude(end_reason__in=[EndReason.REFUSED, EndReason.START_FAILED])
    # A host ends its own sessions' processes itself: leave it the time to.
    settled = unreaped.exclude(ended__gt=now - timedelta(seconds=20))
    return [*open_ones[:REAP_AT_ONCE], *settled[:REAP_AT_ONCE]]


def _is_dead_here(host: Host) -> bool:
    return host.machine == socket.gethostname() and not Path(f"/proc/{host.pid}").exists()
