"""Floods: how fast they pass, how soon Ctrl-C ends one, what the server holds meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench.screen import PROMPT, Screen

STREAM_BYTES = 8 * 1024 * 1024
"""What a throughput round reads."""
LINE = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


async def stream_rate(screen: Screen) -> float:
    """Let the shell write STREAM_BYTES; return the bytes that arrived, a second.

    What was skipped on the way did not arrive.
    """
    before = screen.received
    began = time.perf_counter()
    await screen.run(b"yes %s | head -c %d" % (LINE, STREAM_BYTES), seconds=120)
    return (screen.received - before) / (time.perf_counter() - began)


async def interrupt(screen: Screen, flood_seconds: float) -> float:
    """Run `yes`, press Ctrl-C after a while; return the seconds until the prompt was seen."""
    screen.forget()
    await screen.type(b"yes\r")
    await screen.until(b"y\r\ny\r\n")
    await asyncio.sleep(flood_seconds)
    screen.forget()
    began = time.perf_counter()
    await screen.type(b"\x03")
    await screen.until(PROMPT, 60)
    return time.perf_counter() - began


class Peak:
    """The largest of what was measured."""

    def __init__(self) -> None:
        self.most = 0


@asynccontextmanager
async def peak(measure: Callable[[], int], every: float = 0.1) -> AsyncIterator[Peak]:
    """Keep the largest value of `measure`, which runs in a thread, until the block is left."""
    found = Peak()

    async def look() -> None:
        while True:
            found.most = max(found.most, await asyncio.to_thread(measure))
            await asyncio.sleep(every)

    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(look())
        try:
            yield found
        finally:
            looking.cancel()
