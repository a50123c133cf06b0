"""Many shells at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.crowd import AT_ONCE, crowd
from bench.screen import Screen


class Mute(Screen):
    """Takes everything and says nothing."""

    async def type(self, data: bytes) -> None:
        """Do nothing."""


class Doors:
    """Counts who opens, who is inside and who leaves."""

    def __init__(self, fails_at: int = 0) -> None:
        self.begun = self.inside = self.busy = self.busiest = 0
        self._fails_at = fails_at

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Screen]:
        """Let one in."""
        self.begun += 1
        if self.begun == self._fails_at:
            raise ConnectionError("no more")
        await self._take_time()
        self.inside += 1
        try:
            yield Mute()
        finally:
            self.inside -= 1
            await self._take_time()

    async def _take_time(self) -> None:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1


async def test_all_are_there_at_the_same_time_and_all_leave() -> None:
    doors = Doors()
    async with crowd(doors.open, 20) as screens:
        assert len(screens) == doors.inside == 20

    assert doors.inside == 0
    assert doors.busiest == AT_ONCE


async def test_nobody_stays_when_one_cannot_come() -> None:
    doors = Doors(fails_at=15)
    with pytest.raises(ExceptionGroup) as raised:
        async with crowd(doors.open, 20):
            pytest.fail("the crowd was not complete")

    assert raised.group_contains(ConnectionError, match="no more")
    assert doors.inside == 0
