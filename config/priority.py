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
    _favour_own_session(niceness)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        _favour_own_session(before)


def _favour_own_session(niceness: int) -> None:
    """Give the session the same niceness; one that others live in, such as a shell, is let be."""
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # no such feature, or not for us
            _AUTOGROUP.write_text(str(niceness))
