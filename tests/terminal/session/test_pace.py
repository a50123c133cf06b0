"""What a session tells of its pace."""

from __future__ import annotations

import asyncio

from terminal.session import limits
from tests.terminal.session.world import World


async def test_floods_and_keys_are_told_to_whoever_sees_to_the_priority() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        stream = await world.cluster.stream()

        for _ in range(5):
            stream.writes(b"x" * limits.TURN_BYTES)
            await asyncio.sleep(2 * limits.FLOOD_SECONDS)
        assert world.effort.calls == []

        stream.writes(b"y" * 3 * limits.TURN_BYTES)
        await asyncio.sleep(limits.FLOOD_SECONDS)
        assert world.effort.calls == [("reads flood", session.spec.id)] * 2

        client.types(b"q")
        assert world.effort.calls[2:] == [("answers", session.spec.id)]
