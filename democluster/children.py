"""Every process that the demo cluster started, directly or not: reaped while it runs, ended after.

Three nets hold them. The program is a subreaper, so a process whose parent ended becomes its
child instead of init's. Direct children are killed by the kernel when the program dies. And the
`HOME` of every container lies in the program's directory, by which a later start finds what an
earlier one that was killed left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

LOG = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)

KILL_ROUNDS = 50
"""How often a set of processes is looked for and killed: each round catches what was forked
during the one before."""

KILL_PAUSE_SECONDS = 0.02


class Children:
    """Starts processes and tells how they end. One per program, used by its main thread."""

    def __init__(self) -> None:
        self._exits: dict[int, asyncio.Future[int]] = {}
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def watch(self) -> None:
        """Become the parent of all orphans below and reap whatever ends from now on."""
        if _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        executable: str,
        env: Mapping[str, str],
        cwd: Path,
        descriptors: tuple[int, int, int],
        tty: bool,
    ) -> tuple[int, asyncio.Future[int]]:
        """Start a process in a session of its own; return its pid and its future exit code.

        With `tty` its standard input becomes the controlling terminal. A process that a signal
        ended has the code 128 + signal. Raises OSError.
        """

        def prepare() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if tty:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        stdin, stdout, stderr = descriptors
        started = subprocess.Popen(
            list(argv),
            executable=executable,
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=prepare,
        )
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._exits[started.pid] = future
        self._started[started.pid] = started
        return started.pid, future

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            started = self._started.pop(pid, None)
            if started is not None:
                started.returncode = code
            future = self._exits.pop(pid, None)
            if future is not None and not future.done():
                future.set_result(code if code >= 0 else 128 - code)


def kill_by_home(home: Path, *, below: bool = False) -> int:
    """Kill every process whose HOME is `home` (or lies below it); return how many there were."""
    prefix = b"HOME=" + os.fsencode(home)
    marks = (prefix + b"/",) if below else (prefix + b"\0",)

    def is_marked(pid: int) -> bool:
        try:
            environment = b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return any(b"\0" + mark in environment for mark in marks)

    return _kill_until_none(lambda: [pid for pid in _pids() if is_marked(pid)])


def kill_descendants() -> int:
    """Kill everything below this process, however deep; return how many there were."""

    def descendants() -> list[int]:
        parents = {pid: parent for pid, parent in _parents() if pid != os.getpid()}
        below = {os.getpid()}
        grown = True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in below} - below
            below |= more
            grown = bool(more)
        return sorted(below - {os.getpid()})

    return _kill_until_none(descendants)


def _kill_until_none(find: Callable[[], list[int]]) -> int:
    seen: set[int] = set()
    for _ in range(KILL_ROUNDS):
        pids = find()
        if not pids:
            break
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        seen.update(pids)
        time.sleep(KILL_PAUSE_SECONDS)
    return len(seen)


def _pids() -> Iterator[int]:
    own = os.getpid()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != own:
            yield int(entry.name)


def _parents() -> Iterator[tuple[int, int]]:
    for pid in _pids():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state != "Z":
            yield pid, int(parent)
