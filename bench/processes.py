"""Servers of others that the bench starts, weighs and ends with everything below them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

READY_SECONDS = 20.0
END_SECONDS = 5.0


@asynccontextmanager
async def serving(command: Sequence[str], port: int, log: Path) -> AsyncIterator[int]:
    """Run a server until the block is left; yields its process id once `port` is open.

    Leaving ends it and every process below it. Raises RuntimeError where it does not answer.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the bench, which then leaves the shells before it ends their server.
            start_new_session=True,
        )
    try:
        await _wait_until_open(process, port, log)
        yield process.pid
    finally:
        await asyncio.to_thread(end_tree, process)


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process politely, then for sure, and whatever of its children is left (blocks)."""
    below = _below(process.pid)
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        below += _below(process.pid)
        process.kill()
        process.wait(END_SECONDS)
    _, alive = psutil.wait_procs(below, timeout=1)
    for child in alive:
        child.kill()
    psutil.wait_procs(alive, timeout=END_SECONDS)


def memory_below(pid: int) -> tuple[int, int]:
    """Return the proportional resident bytes of a process, and of everything below it."""
    return _memory([psutil.Process(pid)]), _memory(_below(pid))


def _memory(processes: Sequence[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += int(process.memory_full_info().pss)
        except psutil.NoSuchProcess:
            continue
    return total


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


async def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_SECONDS
    while loop.time() < deadline and process.poll() is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError(f"{process.args!r} does not answer: {log.read_text()[-500:]}")
