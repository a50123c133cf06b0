"""How a session reads its output: at full speed, in turns, and not ahead of its screen model."""

from __future__ import annotations

import asyncio
from uuid import UUID

from terminal.session import limits
from terminal.session.ports import Effort, ScreenLike
from terminal.session.signal import Signal


class Pace:
    """Keeps one session's reading from costing others more than it must.

    One task calls `after` for each piece of output; `interrupted` returns at once.
    """

    def __init__(self, session: UUID, screen: ScreenLike, effort: Effort) -> None:
        self._session = session
        self._screen = screen
        self._effort = effort
        self._loop = asyncio.get_running_loop()
        self._turn = 0
        self._turned = -limits.FLOOD_SECONDS
        self._last_interrupt = -limits.INTERRUPT_SECONDS
        self._interrupted: Signal | None = None

    def interrupted(self) -> None:
        """Note an interrupt key: the prompt stands behind all that is still to be read."""
        self._last_interrupt = self._loop.time()
        if self._interrupted is not None:
            self._interrupted.set()

    async def after(self, count: int) -> None:
        """Let others have their turn after `count` bytes, if this one was long enough."""
        self._turn += count
        if self._turn >= limits.TURN_BYTES:
            self._turn = 0
            now = self._loop.time()
            if now - self._turned < limits.FLOOD_SECONDS:
                self._effort.reads_flood(self._session)
            self._turned = now
            await asyncio.sleep(0)
            await self._wait_for_the_model()

    async def _wait_for_the_model(self) -> None:
        """Wait for the screen model in a long flood; an interrupt key lifts it for a moment."""
        while self._screen.backlog > (bound := self._most_backlog()):
            self._interrupted = Signal()
            async with asyncio.TaskGroup() as waits:
                both = [
                    waits.create_task(self._screen.drain(bound)),
                    waits.create_task(self._interrupted.wait()),
                ]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for wait in both:
                    wait.cancel()
            self._interrupted = None
            if not both[0].cancelled():
                # The model decides how long a drain takes: without its helper it lets pass a turn
                # now and then, so that a screen may be late but bytes are not held back for ever.
                return

    def _most_backlog(self) -> int:
        if self._loop.time() - self._last_interrupt < limits.INTERRUPT_SECONDS:
            return limits.SCREEN_BACKLOG_INTERRUPTED_BYTES
        return limits.SCREEN_BACKLOG_BYTES
