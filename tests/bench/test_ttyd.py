"""What a page of ttyd does when its terminal is slower than the program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bench.ttyd import MARK_BYTES, MOST_MARKS, PAUSE, RESUME, TtydShell

FRAME = b"0" + b"y" * (MARK_BYTES // 2)
FRAMES = 3 * MOST_MARKS
"""A half of a mark each, and one more byte is needed: every third frame is marked."""


@asynccontextmanager
async def flooding(frames: int, heard: list[bytes]) -> AsyncIterator[str]:
    """Serve so many frames at once, and note what the page says; yields the address."""

    async def flood(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(protocols=["tty"])
        await answer.prepare(request)
        for _ in range(frames):
            await answer.send_bytes(FRAME)
        async for message in answer:
            heard.append(message.data)
        return answer

    application = web.Application()
    application.router.add_get("/ws", flood)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/ws"
    finally:
        await runner.cleanup()


async def heard_from(frames: int, rate: float | None) -> list[bytes]:
    """Return what a page said by the time it had drawn all of the frames."""
    heard: list[bytes] = []
    async with flooding(frames, heard) as address, aiohttp.ClientSession() as http:
        async with http.ws_connect(address, protocols=TtydShell.subprotocols) as opened:
            shell = TtydShell(opened, rate)
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(shell.read())
                async with asyncio.timeout(20):
                    while shell.received < frames * (len(FRAME) - 1):
                        await asyncio.sleep(0.01)
                await opened.send_bytes(b"done")
                while b"done" not in heard:
                    await asyncio.sleep(0.01)
                reading.cancel()
    return heard


async def test_a_slow_page_pauses_the_server_and_lets_it_go_on() -> None:
    heard = await heard_from(4 * FRAMES, 20e6)

    assert PAUSE in heard
    assert RESUME in heard[heard.index(PAUSE) :]


async def test_a_page_that_draws_at_once_never_pauses_the_server() -> None:
    assert await heard_from(4 * FRAMES, None) == [b"done"]


async def test_a_short_output_needs_no_pause() -> None:
    assert PAUSE not in await heard_from(FRAMES - MOST_MARKS, 20e6)
