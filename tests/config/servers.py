"""Hatchway as a process of its own, under either server, and a client that sends raw bytes."""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a password for raw sockets"
START_SECONDS = 60
SECRET_KEY = "Rz7Kq2Wm9Xb4Nc6Vd8Ft1Gh3Jy5Lp0SsQqEeTtUu"

Headers = Sequence[tuple[str, bytes]]


def free_port() -> int:
    """Return a port of the loopback address that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """Return the environment of a Hatchway that keeps its data in `folder`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HATCHWAY_")}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'hatchway.sqlite3'}",
        "HATCHWAY_SECRET_KEY": SECRET_KEY,
        "HATCHWAY_PORT": str(port),
        "HATCHWAY_DEMO_PASSWORD": PASSWORD,
        **more,
    }


def prepare(folder: Path) -> None:
    """Make the database and the demo's accounts."""
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "call_command('makedemo', cluster='demo')\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(folder, 8000),
        check=True,
        timeout=120,
        capture_output=True,
    )


def command(server: str, port: int) -> list[str]:
    """Return how a server is started."""
    if server == "daphne":
        words = ["-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
        return [sys.executable, "-m", "daphne", *words]
    words = ["--host", "127.0.0.1", "--port", str(port), "--ws", "websockets-sansio"]
    words += ["--no-proxy-headers"] if server == "uvicorn" else []
    return [sys.executable, "-m", "uvicorn", "config.asgi:application", *words]


@dataclass
class Server:
    """A running Hatchway."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def origin(self) -> str:
        """The one origin that is allowed."""
        return f"http://127.0.0.1:{self.port}"

    def raw(self, request: bytes) -> bytes:
        """Send bytes and return the answer's head."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as connection:
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
            return answer

    def get(self, path: str, *headers: tuple[str, bytes], method: str = "GET") -> bytes:
        """Send a request with these headers as they are, and return the answer's head."""
        lines = [f"{method} {path} HTTP/1.1".encode(), f"Host: 127.0.0.1:{self.port}".encode()]
        lines += [name.encode() + b": " + value for name, value in headers]
        return self.raw(b"\r\n".join([*lines, b"Connection: close", b"", b""]))

    def handshake(self, path: str, headers: Headers, *, protocols: str, cookie: str = "") -> int:
        """Try to open a socket and return the HTTP status of the answer; 0 for none at all."""
        key = base64.b64encode(secrets.token_bytes(16))
        lines = [
            f"GET {path} HTTP/1.1".encode(),
            f"Host: 127.0.0.1:{self.port}".encode(),
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + key,
            b"Sec-WebSocket-Protocol: " + protocols.encode(),
        ]
        if cookie:
            lines.append(b"Cookie: " + cookie.encode())
        lines += [name.encode() + b": " + value for name, value in headers]
        answer = self.raw(b"\r\n".join([*lines, b"", b""]))
        return int(answer.split(b" ", 2)[1]) if answer else 0


class Person:
    """A signed-in person without a browser."""

    def __init__(self, server: Server, username: str, address: str = "") -> None:
        self._server = server
        self._cookies: dict[str, str] = {}
        self._extra = {"X-Forwarded-For": address} if address else {}
        self.send("GET", "/api/me")
        status, _ = self.send("POST", "/api/sign-in", {"username": username, "password": PASSWORD})
        assert status == 200

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def send(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """Send JSON and return status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=15)
        headers = {
            "Content-Type": "application/json",
            "Cookie": self.cookie,
            "X-CSRFToken": self._cookies.get("hatchway_csrf", ""),
            **self._extra,
        }
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, _ = value.partition(";")
                key, _, content = cookie.partition("=")
                self._cookies[key] = content
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def ticket(self) -> str:
        """Return a fresh ticket for the live tree."""
        status, body = self.send("POST", "/api/tickets", {"stream": "targets"})
        assert status == 201, body
        assert isinstance(body, dict)
        return str(body["ticket"])


@contextmanager
def running(server: str, folder: Path, *, files: int = 0, **more: str) -> Iterator[Server]:
    """Run a server until the context is left; its log stays in `folder`.

    `files` is how many files it may have open, 0 for as many as this process.
    """
    port = free_port()

    def limit_files() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    log = folder / f"{server}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(server, port),
            cwd=ROOT,
            env=environment(folder, port, **more),
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=limit_files,
        )
        try:
            _await_start(process, port, log)
            yield Server(port, process, log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)


def _await_start(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"The server ended: {log.read_text()}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise AssertionError(f"The server did not start: {log.read_text()}")
