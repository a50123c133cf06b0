"""A whole Hatchway for a test: the server as a process of its own, on a free port."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = secrets.token_urlsafe(12)
"""The demo accounts' password in this run."""
READY_SECONDS = 40


@dataclass
class RunningHatchway:
    """A server that answers, and how to reach it."""

    origin: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    environment: Mapping[str, str]

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.process.pid

    def manage(self, *arguments: str) -> str:
        """Run a management command against the same database and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(directory: Path, port: int, kubeconfig: Path, **more: str) -> dict[str, str]:
    """Return the environment of a server with a database of its own in `directory`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("HATCHWAY_")}
    return {
        **inherited,
        "HATCHWAY_PORT": str(port),
        "HATCHWAY_DEMO": "true",
        "HATCHWAY_SECRET_KEY": secrets.token_urlsafe(50),
        "HATCHWAY_KUBECONFIG": str(kubeconfig),
        "HATCHWAY_DEMO_PASSWORD": PASSWORD,
        "DATABASE_URL": f"sqlite:///{directory / 'hatchway.sqlite3'}",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def server_command(server: str, port: int) -> list[str]:
    """Return the command line of one of the two supported servers."""
    application = "config.asgi:application"
    if server == "daphne":
        return [
            *(sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)),
            *("--websocket-max-message-size", "131072", "--websocket-max-frame-size", "131072"),
            application,
        ]
    return [
        *(sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1"),
        *("--port", str(port), "--ws", "websockets-sansio", "--no-access-log"),
        *("--ws-per-message-deflate", "false", "--ws-max-size", "131072"),
        *("--timeout-graceful-shutdown", "15", "--no-server-header", "--no-proxy-headers"),
    ]


def prepare(env: Mapping[str, str]) -> None:
    """Make the tables and the demo accounts of a server with that environment."""
    for command in (["migrate", "-v", "0"], ["makedemo"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=dict(env),
            check=True,
            capture_output=True,
            timeout=120,
        )


@contextmanager
def running_hatchway(
    directory: Path, kubeconfig: Path, *, server: str = "uvicorn", port: int = 0, **more: str
) -> Iterator[RunningHatchway]:
    """Migrate, make the demo accounts, serve until the block is left, and end the server."""
    port = port or free_port()
    env = environment(directory, port, kubeconfig, **more)
    prepare(env)
    with serving(server, port, env, directory / "server.log") as running:
        yield running


@contextmanager
def serving(server: str, port: int, env: Mapping[str, str], log: Path) -> Iterator[RunningHatchway]:
    """Serve on a database that is ready until the block is left, and end the server."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            server_command(server, port), cwd=ROOT, env=dict(env), stdout=output, stderr=output
        )
    running = RunningHatchway(f"http://127.0.0.1:{port}", port, process, log, env)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        stop(process)


def restarted(
    before: RunningHatchway, server: str = "uvicorn"
) -> AbstractContextManager[RunningHatchway]:
    """Serve again what ended: same database, same address."""
    return serving(server, before.port, before.environment, before.log)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process politely, then for sure."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _wait_until_ready(running: RunningHatchway) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(running.origin + "/healthz", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"the server did not become ready:\n{running.log.read_text()[-4000:]}")
