"""Stock kubectl, where there is one."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMAND_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with a kubeconfig."""

    program: str
    kubeconfig: Path

    def argv(self, *arguments: str) -> list[str]:
        """Return the whole command."""
        return [self.program, "--kubeconfig", str(self.kubeconfig), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.argv(*arguments),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            env=_environment(),
            check=False,
        )

    def output(self, *arguments: str) -> str:
        """Run it, expect success, return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it with its output on a pipe."""
        return subprocess.Popen(
            self.argv(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
        )

    def on_terminal(self, *arguments: str) -> TerminalProgram:
        """Start it on a terminal, like a person does."""
        pid, master = pty.fork()
        if pid == 0:
            os.execve(self.program, self.argv(*arguments), _environment())
        return TerminalProgram(pid, master)


class TerminalProgram:
    """A program on a terminal that types and reads."""

    def __init__(self, pid: int, master: int) -> None:
        self._pid = pid
        self._master = master
        self._seen = b""

    def type(self, text: str) -> None:
        """Type some text."""
        os.write(self._master, text.encode())

    def sees(self, text: str) -> None:
        """Wait until the program printed that; fail with what it printed instead."""
        deadline = time.monotonic() + COMMAND_SECONDS
        while text.encode() not in self._seen:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._master], [], [], max(left, 0))
            assert ready, f"{text!r} is not in {self._seen!r}"
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            assert data, f"the program ended: {self._seen!r}"
            self._seen += data

    def exit_code(self) -> int:
        """Wait for its end."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        _, status = os.waitpid(self._pid, 0)
        os.close(self._master)
        return os.waitstatus_to_exitcode(status)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"TERM": "xterm"}


def find_kubectl() -> str:
    """Return the program; skip the test where there is none."""
    found = os.environ.get("HATCHWAY_TEST_KUBECTL") or shutil.which("kubectl")
    if not found:
        pytest.skip("needs kubectl: put it on the PATH or set HATCHWAY_TEST_KUBECTL")
    return found
