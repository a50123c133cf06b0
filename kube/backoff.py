"""How long to wait before trying again: longer each time, and never all at once."""

from __future__ import annotations

import asyncio
import random

FIRST_SECONDS = 0.5
"""The first wait."""

LONGEST_SECONDS = 30.0
"""No wait is longer."""


class Backoff:
    """Waits that double from FIRST_SECONDS to LONGEST_SECONDS, each shortened by up to half."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def reset(self) -> None:
        """Begin again with the first wait: something worked."""
        self._next = FIRST_SECONDS

    def seconds(self) -> float:
        """Return the next wait."""
        wait, self._next = self._next, min(self._next * 2, LONGEST_SECONDS)
        return jittered(wait)

    async def pause(self) -> None:
        """Wait."""
        await asyncio.sleep(self.seconds())


def jittered(seconds: float) -> float:
    """Return 0.5 to 1 times as long, so that many who wait do not come back together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311
