"""Many shells, opened and left a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from bench.screen import Screen

AT_ONCE = 4


@asynccontextmanager
async def crowd(
    open_one: Callable[[], AbstractAsyncContextManager[Screen]], number: int
) -> AsyncIterator[list[Screen]]:
    """Open `number` shells; leaving leaves them all."""
    turns = asyncio.Semaphore(AT_ONCE)
    complete, leave = asyncio.Event(), asyncio.Event()
    opened: list[Screen] = []

    async def stay() -> None:
        async with AsyncExitStack() as stack:
            async with turns:
                opened.append(await stack.enter_async_context(open_one()))
            if len(opened) == number:
                complete.set()
            await leave.wait()
            async with turns:
                await stack.aclose()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(number):
            tasks.create_task(stay())
        try:
            await complete.wait()
            yield opened
        finally:
            leave.set()
