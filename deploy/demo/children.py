"""Every process that the runner starts, and its end.

Each child leads a process group of its own: Ctrl-C reaches the runner alone, which then ends the
children in the order that is right for them, and whatever they started with them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from deploy.demo.errors import StartError, Stopped

POLL_SECONDS = 0.05
"""How often a wait looks at its child and at the signals."""
END_SECONDS = 25.0
"""How long a child may take to end by itself: the web server gives its sessions 20."""
TAIL_LINES = 20
"""Lines of a failed child's log that are shown."""

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Turns the first signal to end into Stopped at the next wait; a second one hurries."""

    def __init__(self) -> None:
        self.count = 0

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals inside the block."""
        before = [(number, signal.signal(number, self._note)) for number in ENDING_SIGNALS]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    def pause(self) -> None:
        """Wait for one poll. Raises Stopped once a signal came."""
        if self.count:
            raise Stopped
        time.sleep(POLL_SECONDS)
        if self.count:
            raise Stopped


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """One running process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None
    """Where its output goes; None when it is shown."""


class Children:
    """Owns the processes. Leave the block and none of them runs any more."""

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals
        self._running: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        # Youngest first: the web server ends its sessions while the cluster still answers.
        while self._running:
            self._end(self._running.pop())

    def run(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Run `command` to its end. Raises StartError with the end of its log when it fails."""
        child = self._spawn(name, command, log=log, cwd=cwd, environ=environ)
        try:
            while child.process.poll() is None:
                self._signals.pause()
        finally:
            self._running.remove(child)
            self._end(child)
        if child.process.returncode != 0:
            raise StartError(_obituary(child))

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command`, which is expected to go on."""
        self._spawn(name, command, log=log, cwd=cwd, environ=environ)

    def watch(self) -> None:
        """Wait for one poll. Raises Stopped, or StartError when a child has ended."""
        for child in self._running:
            if child.process.poll() is not None:
                raise StartError(_obituary(child))
        self._signals.pause()

    def _spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None,
        cwd: Path | None,
        environ: Mapping[str, str] | None,
    ) -> Child:
        with contextlib.ExitStack() as stack:
            output: IO[bytes] | None = None
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                output = stack.enter_context(log.open("wb"))
            try:
                process = subprocess.Popen(  # noqa: S603
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    cwd=cwd,
                    env=environ,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartError(f"{name} cannot be started: {error}.") from None
        child = Child(name, process, log)
        self._running.append(child)
        return child

    def _end(self, child: Child) -> None:
        process = child.process
        deadline = time.monotonic() + END_SECONDS
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
        while process.poll() is None and time.monotonic() < deadline and self._signals.count < 2:
            time.sleep(POLL_SECONDS)
        # Also when the child is gone: what it started may have stayed.
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    # PermissionError is what some systems say about a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _obituary(child: Child) -> str:
    code = child.process.returncode
    how = f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
    if child.log is None:
        return f"{child.name} {how}."
    lines = child.log.read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"{child.name} {how}. The last lines of {child.log}:", *lines])
