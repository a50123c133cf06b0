"""The host: every live session of this process, and the one who owns their tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.size import Size
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from terminal.session.limits import Limits
from terminal.session.live import LiveSession
from terminal.session.ports import Effort, ExecBackend, Ledger, Reaper, Screens, Sentinel
from terminal.session.spec import SessionSpec

log = logging.getLogger(__name__)


class ShuttingDown(PeerVisibleError):
    """The host takes no new sessions."""

    code = "unavailable"
    close_code = CloseCode.SHUTTING_DOWN


class SessionHost:
    """Holds live sessions. `run` is its life; every session's task belongs to it.

    `close` ends every session with `server_drain` and what they started in their containers; then
    `run` returns. Cancelling `run` cuts that short: what is left is found at the next start.
    """

    def __init__(
        self,
        *,
        backend: ExecBackend,
        reaper: Reaper,
        ledger: Ledger,
        sentinel: Sentinel,
        screens: Screens,
        effort: Effort,
        session_limits: Limits,
    ) -> None:
        self._backend = backend
        self._reaper = reaper
        self._ledger = ledger
        self._sentinel = sentinel
        self._screens = screens
        self._effort = effort
        self._limits = session_limits
        self._sessions: dict[UUID, LiveSession] = {}
        self._lives: asyncio.TaskGroup | None = None
        self._stop = asyncio.Event()
        self.running = asyncio.Event()
        """Set while sessions can be opened."""

    def __len__(self) -> int:
        return sum(1 for session in self._sessions.values() if session.ending is None)

    def sessions(self) -> Iterable[LiveSession]:
        """Return the sessions of this process, ended ones that linger included."""
        return list(self._sessions.values())

    def get(self, session_id: UUID) -> LiveSession | None:
        """Return a session of this process, or None."""
        return self._sessions.get(session_id)

    def open(self, spec: SessionSpec, size: Size) -> LiveSession:
        """Start a session. Its id must be new. Raises ShuttingDown."""
        if self._lives is None or self._stop.is_set():
            raise ShuttingDown("The server is shutting down; try again in a moment.")
        assert spec.id not in self._sessions
        session = LiveSession(
            spec,
            backend=self._backend,
            reaper=self._reaper,
            ledger=self._ledger,
            screen=self._screens.open(size),
            effort=self._effort,
            size=size,
            session_limits=self._limits,
        )
        self._sessions[spec.id] = session
        self._lives.create_task(self._live(session), name=f"session {spec.id}")
        return session

    async def run(self) -> None:
        """Serve until `close` is called or the task is cancelled; return when all has ended."""
        async with asyncio.TaskGroup() as lives:
            guard = lives.create_task(self._guard(), name="session guard")
            self._lives = lives
            self.running.set()
            try:
                await self._stop.wait()
            finally:
                self.running.clear()
                self._stop.set()
                guard.cancel()
                for session in self._sessions.values():
                    session.end(Ending(EndReason.SERVER_DRAIN, "The server was shut down."))

    def close(self) -> None:
        """Ask `run` to end everything and return."""
        self._stop.set()

    async def _live(self, session: LiveSession) -> None:
        """Run a session and let it linger; what fails inside it is logged and harms no other."""
        try:
            await session.run()
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.LINGER_SECONDS):
                    await self._stop.wait()
            await session.dismiss(limits.CLOSE_SECONDS)
        except Exception:
            log.exception("session %s failed", session.spec.id)
        finally:
            del self._sessions[session.spec.id]
            session.cut()
            session.screen.close()

    async def _guard(self) -> None:
        """End sessions whose right is gone or that somebody asked to end."""
        while True:
            await asyncio.sleep(limits.GUARD_SECONDS)
            living = [each for each in self._sessions.values() if each.ending is None]
            if not living:
                continue
            try:
                async with asyncio.timeout(limits.SENTINEL_SECONDS):
                    verdicts = await self._sentinel.verdicts(living)
            except Exception:
                log.exception("the guard could not check %d sessions", len(living))
                continue
            for session_id, ending in verdicts.items():
                if (session := self._sessions.get(session_id)) is not None:
                    session.end(ending)
