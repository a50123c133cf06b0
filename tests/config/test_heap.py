"""Memory goes back to the system while the process grows."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from config import heap
from config.heap import GROWTH_BYTES, Heap, kept_small, this_heap

MIB = 1024 * 1024


class Process:
    """A process with a size; giving back takes `free` off it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.free = 0
        self.given = 0

    def give_back(self) -> None:
        self.size -= self.free
        self.free = 0
        self.given += 1


def test_nothing_is_done_while_the_process_does_not_grow() -> None:
    process = Process(100 * MIB)
    watched = Heap(lambda: process.size, process.give_back)

    assert [watched.look() for _ in range(3)] == [False, False, False]
    process.size += GROWTH_BYTES - 1
    assert not watched.look()
    assert process.given == 0


def test_what_is_free_is_given_back_each_time_the_process_has_grown() -> None:
    process = Process(100 * MIB)
    watched = Heap(lambda: process.size, process.give_back)

    process.size, process.free = 105 * MIB, 4 * MIB
    assert watched.look()
    assert not watched.look()
    process.size = 101 * MIB + GROWTH_BYTES
    assert watched.look()
    assert process.given == 2


def test_growth_counts_from_the_smallest_size() -> None:
    process = Process(100 * MIB)
    watched = Heap(lambda: process.size, process.give_back)

    process.size = 50 * MIB
    watched.look()
    process.size = 60 * MIB

    assert watched.look()


@pytest.mark.skipif(this_heap() is None, reason="needs glibc's malloc_trim")
def test_holes_in_the_heap_of_a_real_process_are_given_back() -> None:
    program = """
import config.heap as heap
watched = heap.this_heap()
before = heap.resident_bytes()
pieces = [bytes(30_000) for _ in range(2000)]
del pieces[:-1:2], pieces[:-1]
grown = heap.resident_bytes() - before
assert grown > 20_000_000, grown
assert watched.look()
assert heap.resident_bytes() - before < 5_000_000, heap.resident_bytes() - before
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


async def test_the_process_is_looked_at_while_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()
    process = Process(100 * MIB)
    watched = Heap(lambda: process.size, looked.set)
    monkeypatch.setattr(heap, "this_heap", lambda: watched)
    monkeypatch.setattr(heap, "LOOK_SECONDS", 0.001)

    async with kept_small():
        process.size += GROWTH_BYTES
        async with asyncio.timeout(20):
            await looked.wait()
