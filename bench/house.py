"""A Hatchway of the bench's own: started, measured from outside, ended."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bench.client import Door, HatchwayWay
from bench.connections import connections
from tests.e2e.other_client import Hatchway
from tests.e2e.running import PASSWORD, ROOT, environment, free_port, prepare, stop

READY_SECONDS = 60.0

LIMITS = {
    # One person opens what several hundred would.
    "HATCHWAY_SESSIONS_PER_PERSON": "1000",
    "HATCHWAY_SOCKETS_PER_PERSON": "2000",
    "HATCHWAY_TICKETS_PER_PERSON": "1000",
}


@dataclass(frozen=True, slots=True)
class House:
    """A server that answers."""

    origin: str
    port: int
    pid: int
    log: Path
    counts_at: Path
    http: aiohttp.ClientSession

    async def door(self, username: str = "alice") -> Door:
        """Sign somebody in."""
        person = await asyncio.to_thread(Hatchway, self.origin, username, PASSWORD)
        return Door(person, self.http, self.port)

    def way(self, target: str, rate: float | None, username: str = "alice") -> HatchwayWay:
        """Return how another process opens a session here."""
        return HatchwayWay(self.origin, self.port, username, PASSWORD, target, rate)

    async def counts(self) -> dict[str, Any]:
        """Ask the server's process for its tasks, files and memory."""
        reader, writer = await asyncio.open_unix_connection(str(self.counts_at))
        answer: dict[str, Any] = json.loads(await reader.read())
        writer.close()
        return answer

    def memory(self) -> int:
        """Return the resident bytes of the server and its children; pages they share count once."""
        return memory_of(self.pid)


def memory_of(pid: int) -> int:
    """Return the proportional resident bytes of a process and everything below it."""
    first = psutil.Process(pid)
    total = 0
    for process in (first, *first.children(recursive=True)):
        try:
            total += int(process.memory_full_info().pss)
        except psutil.NoSuchProcess:
            continue
    return total


@asynccontextmanager
async def running_house(directory: Path, kubeconfig: Path, **more: str) -> AsyncIterator[House]:
    """Migrate, make the demo accounts, serve until the block is left."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    env = environment(directory, port, kubeconfig, **LIMITS, **more)
    await asyncio.to_thread(prepare, env)
    log, counts = directory / "server.log", directory / "counts"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.server", str(port), str(counts)],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        async with connections() as http:
            house = House(f"http://127.0.0.1:{port}", port, process.pid, log, counts, http)
            await asyncio.to_thread(_wait_until_ready, process, house)
            yield house
    finally:
        await asyncio.to_thread(stop, process)


def _wait_until_ready(process: subprocess.Popen[bytes], house: House) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(house.origin + "/healthz", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not become ready:\n{house.log.read_text()[-4000:]}")
