"""How the kernel treats this process among the others of its machine while it serves.

A server that echoes keys computes little, but has to come first when it does. Beside a flood that
keeps all cores busy (a shell that prints, its runtime, its kubelet) it would get its fair share,
piece by piece between theirs, and a key waits for every piece.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

_AUTOGROUP = Path("/proc/self/autogroup")
"""Linux may share the cores out among terminal sessions first (`man 7 sched`, "The autogroup
feature"); a niceness then means nothing outside of one's own session, but the session has one."""


@asynccontextmanager
async def raised_priority(niceness: int) -> AsyncIterator[None]:
    """Have this niceness (-20 to 0; 0 asks for nothing) while the block runs, where it is allowed.

    It takes root or CAP_SYS_NICE; without them everything stays as it was, and the log says so.
    Only the calling thread and what it starts later are meant; what computes for others, such as
    the screen helper, steps back by itself.
    """
    if niceness >= 0:
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, min(niceness, before))
    except PermissionError:
        log.info("This process may not raise its priority: beside busy neighbours keys wait.")
        yield
        return
    session = _own_session()
    try:
        if session is not None:
            _give_own_session(min(niceness, session))
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        if session is not None:
            _give_own_session(session)


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


def _give_own_session(niceness: int) -> None:
    # Linux lets those who are not root ask only ten times a second.
    with suppress(OSError):
        _AUTOGROUP.write_text(str(niceness))
