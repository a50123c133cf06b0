"""The peer `kubectl exec -it`, on a terminal of its own as a person runs it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import shutil
import subprocess
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.house import memory_of
from bench.line import Bucket
from bench.peer import Held, RunningPeer
from bench.screen import Screen

NAME = "kubectl exec"

AHEAD_SECONDS = 0.002
"""A terminal that renders slowly reads on until it is so far ahead: timers count milliseconds."""


def find_kubectl() -> str | None:
    """Return kubectl's path: HATCHWAY_TEST_KUBECTL, the PATH, or a local real cluster's own."""
    cached = sorted(Path.home().glob(".cache/real-kubernetes/*/kubectl"))
    return (
        os.environ.get("HATCHWAY_TEST_KUBECTL")
        or shutil.which("kubectl")
        or (str(cached[-1]) if cached else None)
    )


def exec_command(program: str, kubeconfig: Path, target: str) -> list[str]:
    """Return the command line of a shell in the container."""
    _, namespace, pod, container = target.split("/")
    return [
        *(program, "--kubeconfig", str(kubeconfig), "exec", "-it", "-n", namespace),
        *(pod, "-c", container, "--", "bash"),
    ]


class Kubectl(Screen):
    """A shell behind kubectl. Where `rate` is given, its terminal renders that many bytes/s."""

    def __init__(self, master: int, pid: int, rate: float | None) -> None:
        super().__init__()
        self.pid = pid
        self._master = master
        self._renderer = None if rate is None else Bucket(rate * 8)
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None

    async def type(self, data: bytes) -> None:
        """Send input."""
        os.write(self._master, data)

    def begin(self) -> None:
        """Show from now on."""
        self._loop.add_reader(self._master, self._show)

    def end(self) -> None:
        """Show no more."""
        self._loop.remove_reader(self._master)
        if self._resting is not None:
            self._resting.cancel()

    def _show(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError as error:
            self._loop.remove_reader(self._master)
            self.fail(ConnectionError(f"kubectl ended: {error}"))
            return
        self.take(data)
        if self._renderer is not None:
            now = self._loop.time()
            drawn_at = self._renderer.pass_at(len(data), now)
            if drawn_at - now > AHEAD_SECONDS:
                self._loop.remove_reader(self._master)
                self._resting = self._loop.call_at(drawn_at, self.begin)


class KubectlPeer(RunningPeer):
    """kubectl as a person runs it: no server, one process for each shell."""

    def __init__(self, program: str, kubeconfig: Path, target: str) -> None:
        self._place = (program, kubeconfig, target)
        self._pids: set[int] = set()

    @asynccontextmanager
    async def shell(self, rate: float | None = None) -> AsyncIterator[Screen]:
        """Open a shell. See RunningPeer."""
        async with kubectl_shell(*self._place, rate=rate) as shell:
            self._pids.add(shell.pid)
            try:
                yield shell
            finally:
                self._pids.remove(shell.pid)

    def memory(self) -> Held:
        """Return what the running kubectls hold."""
        return Held(0, sum(memory_of(pid) for pid in self._pids.copy()))


@asynccontextmanager
async def kubectl_shell(
    program: str,
    kubeconfig: Path,
    target: str,
    *,
    rate: float | None = None,
    prepare: bool = True,
) -> AsyncIterator[Kubectl]:
    """Run bash in the container; leaving ends it."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        exec_command(program, kubeconfig, target),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shell = Kubectl(master, process.pid, rate)
    shell.begin()
    try:
        if prepare:
            await shell.until(b"# ")
            await shell.prepare()
        yield shell
    finally:
        if process.poll() is None:
            await shell.leave(lambda: process.poll() is not None)
        if process.poll() is None:
            process.kill()
            process.wait()
        shell.end()
        os.close(master)
