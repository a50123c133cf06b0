"""What a load client has seen: bytes counted, and words waited for."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

REMEMBERED_BYTES = 4096
"""How much of the past a word is looked for in: longer than any word and what comes behind it."""

PATIENCE_SECONDS = 30.0
"""How long anything is waited for."""

INTERRUPTED_SECONDS = 0.2

LEAVE_TRIES = 4
LEAVE_SECONDS = 1.5
"""After so long a shell that has not ended is told once more: a busy one may have lost it."""
LOOKS = 75
"""How often it is looked at meanwhile."""

PROMPT = b"ready> "


class Screen(ABC):
    """A terminal of the bench: type into it, wait for a word."""

    def __init__(self) -> None:
        self.received = 0
        """Bytes of output so far."""
        self._tail = b""
        self._wanted: bytes | None = None
        self._found: asyncio.Future[None] | None = None

    @abstractmethod
    async def type(self, data: bytes) -> None:
        """Send input."""

    async def until(self, word: bytes, seconds: float = PATIENCE_SECONDS) -> None:
        """Return as soon as `word` was seen since `forget`. Raises TimeoutError."""
        if word in self._tail:
            return
        self._wanted = word
        self._found = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._found
        except TimeoutError:
            raise TimeoutError(f"{word!r} was not seen; it ends {self._tail[-300:]!r}") from None
        finally:
            self._wanted = self._found = None

    def forget(self) -> None:
        """Look for words only in what comes from now on."""
        self._tail = b""

    def take(self, data: bytes, *, is_output: bool = True) -> None:
        """Note what was shown; a redrawn screen is shown, but is no output."""
        if is_output:
            self.received += len(data)
        if self._wanted is not None:
            seen = self._tail + data
            if self._wanted in seen and self._found is not None and not self._found.done():
                self._found.set_result(None)
            self._tail = seen[-REMEMBERED_BYTES:]
        else:
            self._tail = (self._tail + data[-REMEMBERED_BYTES:])[-REMEMBERED_BYTES:]

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that nothing more will come."""
        if self._found is not None and not self._found.done():
            self._found.set_exception(error)

    async def prepare(self) -> None:
        """Give the shell a prompt that no output contains, and wait for it."""
        await self.run(b"PS1='rea''dy> '")

    async def run(self, command: bytes, seconds: float = PATIENCE_SECONDS) -> None:
        """Run a command and wait for the prompt behind it."""
        self.forget()
        await self.type(command + b"\r")
        await self.until(PROMPT, seconds)

    async def leave(self, has_ended: Callable[[], bool]) -> None:
        """End whatever runs, and the shell; give up where it has not ended after some tries."""
        for _ in range(LEAVE_TRIES):
            try:
                await self.type(b"\x03")
                # The terminal's driver throws away what was typed right behind an interrupt key.
                await asyncio.sleep(INTERRUPTED_SECONDS)
                if has_ended():
                    return
                await self.type(b"exit\r")
            except OSError:
                # The connection is gone, and there is nobody to tell.
                return
            for _ in range(LOOKS):
                if has_ended():
                    return
                await asyncio.sleep(LEAVE_SECONDS / LOOKS)
