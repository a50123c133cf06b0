"""The session core on the real screen model, in real time."""

from __future__ import annotations

import asyncio

from protocol import tty
from terminal.screen.house import ScreenHouse
from tests.terminal.session.fakes import SIZE, silent
from tests.terminal.session.world import World

MIB = 1024 * 1024


async def test_who_returns_beyond_the_scrollback_gets_the_exact_screen() -> None:
    async with ScreenHouse() as house, World(screens=house) as world:
        world.cluster.plays(silent)
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"many lines\r\n" * (3 * MIB // 12))
        stream.writes("\x1b[2J\x1b[Hthe last 日本 screen\r\n$ ".encode())
        async with asyncio.timeout(20):
            while session.output.head < stream.written:
                await asyncio.sleep(0.01)

        client = world.join(session, offset=10)
        async with asyncio.timeout(20):
            await client.is_told(tty.Resync)

        (screen,) = client.screens
        assert screen.offset == session.output.head
        assert "the last 日本 screen" in screen.data.decode()
        assert client.resyncs[0].cols == SIZE.cols


async def test_a_screen_that_is_not_there_is_late_and_loses_no_byte() -> None:
    async with ScreenHouse() as house, World(screens=house) as world:
        world.cluster.plays(silent)
        session = world.open()
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        async with asyncio.timeout(20):
            while session.output.head < stream.written:
                await asyncio.sleep(0.01)
        assert house.open(SIZE).backlog == 0
        session.screen.close()
        client = world.join(session)

        await client.reads_what_is_there()
        stream.writes(b"still here")
        async with asyncio.timeout(5):
            while session.output.head < stream.written:
                await asyncio.sleep(0.01)

        assert not client.resyncs
        assert not client.is_closed
