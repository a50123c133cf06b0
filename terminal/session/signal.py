"""A flag that one task waits for."""

from __future__ import annotations

import asyncio


class Signal:
    """What asyncio.Event is, for a single waiter.

    An Event keeps a queue for its waiters, which takes 700 bytes while it is empty; each idle
    session would have several.
    """

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def is_set(self) -> bool:
        """Return whether it was set and not cleared since."""
        return self._is_set

    def set(self) -> None:
        """Wake the waiter; until `clear` waiting returns at once."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Let the next `wait` wait again."""
        self._is_set = False

    async def wait(self) -> None:
        """Return when it is set. Raises RuntimeError where another task waits already."""
        if self._is_set:
            return
        if self._waiter is not None:
            raise RuntimeError("A signal has one waiter.")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
