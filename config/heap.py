"""Memory that the C library keeps for later, given back while it grows.

A flood goes through the process in pieces of many sizes; what they leave free in the middle of the
heap would stay resident for as long as the process lives: 3 to 5 MiB for one flooding session.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

LOOK_SECONDS = 0.5
"""How often the process looks at its size, which takes 20 µs. Ten times a second would have a flood
take the same pages again each time: 1 ms for a MB, and a tenth of a MiB less."""

GROWTH_BYTES = 1024 * 1024
"""Less growth leaves little to give back. Giving back takes half a millisecond."""

_STATM = Path("/proc/self/statm")


class Heap:
    """Watches the size of this process and gives back what it can when it has grown."""

    def __init__(self, size: Callable[[], int], give_back: Callable[[], object]) -> None:
        self._size = size
        self._give_back = give_back
        self._smallest = size()

    def look(self) -> bool:
        """Give free memory back if the process has grown; return whether it had."""
        size = self._size()
        self._smallest = min(self._smallest, size)
        if size - self._smallest < GROWTH_BYTES:
            return False
        self._give_back()
        self._smallest = self._size()
        return True


def this_heap() -> Heap | None:
    """Return the heap of this process; None where its C library has no `malloc_trim`."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None or not _STATM.exists():
        return None

    def give_back() -> None:
        # What opening a session leaves in cycles would otherwise wait for the next great round of
        # the collector, which seldom comes in a process whose sessions live for hours.
        gc.collect(1)
        trim(0)

    return Heap(resident_bytes, give_back)


def resident_bytes() -> int:
    """Return how much memory this process occupies."""
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()


@asynccontextmanager
async def kept_small() -> AsyncIterator[None]:
    """Look after the heap of this process while the block runs."""
    heap = this_heap()
    if heap is None:
        yield
        return

    async def keep() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            heap.look()

    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(keep(), name="heap")
        try:
            yield
        finally:
            keeping.cancel()
