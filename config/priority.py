"""How the kernel treats this process among the others of its machine while it serves.

A server that echoes keys computes little, but has to come first when it does. Beside a flood that
keeps all cores busy (a shell that prints, its runtime, its kubelet) it would get its fair share,
piece by piece between theirs, and a key waits for every piece.

A flood itself is the other way round. A server that comes first interrupts whoever makes it for
each small piece, and all of them pass smaller pieces from then on. So while nobody waits for an
answer, floods are read from behind: in larger pieces, and sooner in all.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

log = logging.getLogger(__name__)

BEHIND = 5
"""The niceness at which floods are read: that of the screen helper."""

ANSWER_SECONDS = 1.0
"""How long the process stays in front after somebody asked for something: longer than the pause
between two keys."""

_AUTOGROUP = Path("/proc/self/autogroup")
"""Linux may share the cores out among terminal sessions first (`man 7 sched`, "The autogroup
feature"); a niceness then means nothing outside of one's own session, but the session has one."""


class Priority:
    """This process's place: in front, and behind while it only reads floods (the core's Effort).

    It takes root or CAP_SYS_NICE; without them everything stays as it was, and the log says so.
    Only the thread of `raised` and what it starts later are meant, and `answers` and `reads_flood`
    are called there; what computes for others, such as the screen helper, steps back by itself.
    """

    def __init__(self, niceness: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`niceness`: -20 to 0, the place in front; 0 asks for nothing."""
        self._front = niceness
        self._clock = clock
        self._now: int | None = None
        """The niceness that was asked for; None while nothing is."""
        self._session_was: int | None = None
        self._latest: tuple[UUID | None, float] = (None, -ANSWER_SECONDS)
        self._latest_other: tuple[UUID | None, float] = self._latest

    @asynccontextmanager
    async def raised(self) -> AsyncIterator[None]:
        """Have a place of its own while the block runs, where that is allowed."""
        before = os.getpriority(os.PRIO_PROCESS, 0)
        if self._front >= 0:
            yield
            return
        self._front = min(self._front, before)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, self._front)
        except PermissionError:
            log.info("This process may not raise its priority: beside busy neighbours keys wait.")
            yield
            return
        self._session_was = _own_session()
        try:
            self._move(self._front)
            yield
        finally:
            self._now = None
            os.setpriority(os.PRIO_PROCESS, 0, before)
            if self._session_was is not None:
                _give_own_session(self._session_was)

    def answers(self, session: UUID | None) -> None:
        """Come to the front: a person waits for an answer, in this session or outside of any."""
        if self._latest[0] != session:
            self._latest_other = self._latest
        self._latest = (session, self._clock())
        if self._now is not None:
            self._move(self._front)

    def reads_flood(self, session: UUID) -> None:
        """Go behind while this session's flood is read, unless somebody waits for another's answer.

        Who typed into the flood itself waits for the end of it.
        """
        if self._now is None:
            return
        _, asked = self._latest if self._latest[0] != session else self._latest_other
        if self._clock() - asked >= ANSWER_SECONDS:
            self._move(BEHIND)

    def _move(self, niceness: int) -> None:
        if niceness == self._now:
            return
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        if self._session_was is None or _give_own_session(niceness):
            self._now = niceness


def _own_session() -> int | None:
    """Return the niceness of the session that this process leads; None where there is none.

    A session that others live in, such as a shell's, is let be.
    """
    if os.getsid(0) != os.getpid():
        return None
    try:
        return int(_AUTOGROUP.read_text().split()[-1])
    except OSError:
        return None


def _give_own_session(niceness: int) -> bool:
    """Return whether it took: those who are not root may ask only ten times a second."""
    try:
        _AUTOGROUP.write_text(str(niceness))
    except OSError:
        return False
    return True
