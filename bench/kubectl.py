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

from bench.screen import Screen

NAME = "kubectl exec"


def find_kubectl() -> str | None:
    """Return kubectl's path: HATCHWAY_TEST_KUBECTL, the PATH, or a local real cluster's own."""
    cached = sorted(Path.home().glob(".cache/real-kubernetes/*/kubectl"))
    return (
        os.environ.get("HATCHWAY_TEST_KUBECTL")
        or shutil.which("kubectl")
        or (str(cached[-1]) if cached else None)
    )


class Kubectl(Screen):
    """A shell behind kubectl."""

    def __init__(self, master: int) -> None:
        super().__init__()
        self._master = master

    async def type(self, data: bytes) -> None:
        """Send input."""
        os.write(self._master, data)

    def show(self) -> None:
        """Take what the terminal has."""
        try:
            self.take(os.read(self._master, 65536))
        except OSError as error:
            asyncio.get_running_loop().remove_reader(self._master)
            self.fail(ConnectionError(f"kubectl ended: {error}"))


@asynccontextmanager
async def kubectl_shell(
    program: str, kubeconfig: Path, target: str, *, prepare: bool = True
) -> AsyncIterator[Kubectl]:
    """Run bash in the container; leaving ends it."""
    _, namespace, pod, container = target.split("/")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [
            *(program, "--kubeconfig", str(kubeconfig), "exec", "-it", "-n", namespace),
            *(pod, "-c", container, "--", "bash"),
        ],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shell = Kubectl(master)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, shell.show)
    try:
        if prepare:
            await shell.until(b"# ")
            await shell.prepare()
        yield shell
    finally:
        if process.poll() is None:
            await shell.leave()
            try:
                await asyncio.to_thread(process.wait, 5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        loop.remove_reader(master)
        os.close(master)
