"""How long a keystroke's echo takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bench.screen import Screen

LINE_KEYS = 60
"""After so many keys a new line begins: the terminal's driver takes only 4095 bytes in one."""


class Typist:
    """Types single keys into a program that swallows them; the terminal's driver echoes."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._keys = 0
        self.seconds: list[float] = []

    async def begin(self) -> None:
        """Start the program that swallows input."""
        self._screen.forget()
        # The shell's editor echoes its own line before it hands the terminal over; a key typed in
        # between is never echoed. What the command prints comes after that.
        await self._screen.type(b"echo swal''lows; cat >/dev/null; echo\r")
        await self._screen.until(b"swallows\r\n")

    async def key(self) -> float:
        """Type one key and wait for its echo; return the seconds."""
        self._screen.forget()
        began = time.perf_counter()
        await self._screen.type(b"x")
        await self._screen.until(b"x")
        seconds = time.perf_counter() - began
        self.seconds.append(seconds)
        self._keys += 1
        if self._keys % LINE_KEYS == 0:
            self._screen.forget()
            await self._screen.type(b"\r")
            await self._screen.until(b"\n")
        return seconds

    async def keys(self, count: int, pause: float) -> None:
        """Type keys with a pause (seconds) after each echo."""
        for _ in range(count):
            await self.key()
            await asyncio.sleep(pause)

    async def end(self) -> None:
        """Return to the prompt."""
        self._screen.forget()
        await self._screen.type(b"\x03")
        await self._screen.until(b"> ")


async def take_turns(screens: Sequence[Screen], count: int, pause: float) -> list[list[float]]:
    """Type `count` keys into each terminal, one key here, one key there; return all seconds.

    What disturbs the machine for longer than a keystroke disturbs each of them.
    """
    typists = [Typist(screen) for screen in screens]
    for typist in typists:
        await typist.begin()
    for turn in range(count + LINE_KEYS):
        if turn == LINE_KEYS:
            for typist in typists:
                typist.seconds.clear()
        for typist in typists:
            await typist.key()
            await asyncio.sleep(pause)
    for typist in typists:
        await typist.end()
    return [typist.seconds for typist in typists]


async def type_together(screens: Sequence[Screen], seconds: float, pause: float) -> list[float]:
    """Let everybody type at once for some seconds; return every echo's seconds."""
    typists = [Typist(screen) for screen in screens]
    for typist in typists:
        await typist.begin()
    until = time.perf_counter() + seconds

    async def typing(typist: Typist, delay: float) -> None:
        await asyncio.sleep(delay)
        while time.perf_counter() < until:
            taken = await typist.key()
            await asyncio.sleep(max(pause - taken, 0))

    async with asyncio.TaskGroup() as tasks:
        for number, typist in enumerate(typists):
            tasks.create_task(typing(typist, number * pause / len(typists)))
    for typist in typists:
        await typist.end()
    return [taken for typist in typists for taken in typist.seconds]
