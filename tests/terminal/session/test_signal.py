"""A flag that one task waits for."""

from __future__ import annotations

import asyncio

import pytest

from terminal.session.signal import Signal


async def test_waiting_returns_at_once_while_it_is_set() -> None:
    signal = Signal()
    signal.set()

    await asyncio.wait_for(signal.wait(), 1)
    assert signal.is_set()


async def test_the_waiter_is_woken_even_when_it_is_cleared_at_once() -> None:
    signal = Signal()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(signal.wait())
        await asyncio.sleep(0)
        signal.set()
        signal.set()
        signal.clear()
        await asyncio.wait_for(waiting, 1)
    assert not signal.is_set()


async def test_a_cancelled_waiter_makes_room_for_the_next() -> None:
    signal = Signal()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await signal.wait()
    signal.set()

    await asyncio.wait_for(signal.wait(), 1)


async def test_a_second_waiter_is_a_mistake() -> None:
    signal = Signal()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(signal.wait())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await signal.wait()
        signal.set()
        await waiting
