"""The screens of all sessions of one server process, and the helper that models them.

The byte path only writes to a socket that never blocks. Whatever happens to the helper, a feed
succeeds at once; a snapshot may be late or unavailable. For each screen the bytes since its last
keyframe are kept here, so that a new helper can be brought to the same state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from protocol.size import Size
from terminal.screen import wire
from terminal.screen.errors import BrokenFrame
from terminal.screen.limits import (
    HOLD_SECONDS,
    QUIET_SECONDS,
    RESTART_FIRST_SECONDS,
    RESTART_MOST_SECONDS,
    SOCKET_BUFFER_BYTES,
    STEADY_SECONDS,
    STUCK_SECONDS,
)
from terminal.screen.screen import Screen
from terminal.screen.wire import Kind

logger = logging.getLogger(__name__)

# `-I` leaves the project out of the helper's path, so it is told where the project is.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from terminal.screen.process import main; main(int(sys.argv[2]))"
)
_ROOT = Path(__file__).resolve().parents[2]


class ScreenHouse:
    """Owner of the helper process and of all screens. An async context manager.

    Leaving it closes every screen and ends the helper.
    """

    def __init__(self) -> None:
        self._screens: dict[int, Screen] = {}
        self._fed_recently: set[Screen] = set()
        self._holding: set[Screen] = set()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._numbers = 0
        self._requests = 0
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._heard_at = 0.0
        self._suspect: Screen | None = None
        self._to_rebuild: deque[Screen] = deque()
        self._tasks = asyncio.TaskGroup()
        self._own: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """Process number of the helper; None while there is none."""
        return None if self._process is None else self._process.pid

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._own = [
            self._tasks.create_task(self._keep_helper(), name="screen helper"),
            self._tasks.create_task(self._watch(), name="screen watch"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for screen in list(self._screens.values()):
            screen.close()
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        for task in self._own:
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    def open(self, size: Size) -> Screen:
        """Return the model of a new, blank terminal. Close it when the session ends."""
        self._numbers += 1
        screen = Screen(self, self._numbers, size)
        self._screens[self._numbers] = screen
        return screen

    def may_attach(self, screen: Screen) -> bool:
        """Return whether there is a helper, and `screen` is not one of those it is given anyway."""
        return self._writer is not None and screen not in self._to_rebuild

    def now(self) -> float:
        """Return the event loop's time."""
        return asyncio.get_running_loop().time()

    def next_request(self) -> int:
        """Return a number that no pending request has."""
        self._requests = self._requests % (2**32 - 1) + 1
        return self._requests

    def note_fed(self, screen: Screen) -> None:
        """Remember to look whether `screen` has gone quiet."""
        self._fed_recently.add(screen)

    def hold(self, screen: Screen) -> None:
        """Call `screen.flush` within HOLD_SECONDS; all screens that wait have one timer."""
        self._holding.add(screen)
        if self._flush_timer is None:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_later(HOLD_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        screens, self._holding = self._holding, set()
        for screen in screens:
            screen.flush()

    def forget(self, number: int) -> None:
        """Drop a closed screen."""
        screen = self._screens.pop(number, None)
        if screen is not None:
            self._fed_recently.discard(screen)
            self._holding.discard(screen)

    def send(self, *parts: bytes) -> None:
        """Write to the helper; without one it is dropped, for the screens keep what is needed."""
        if self._writer is not None and not self._writer.transport.is_closing():
            self._writer.writelines(parts)

    async def _keep_helper(self) -> None:
        pause = RESTART_FIRST_SECONDS
        while True:
            started = self.now()
            try:
                await self._live()
            except (OSError, BrokenFrame) as error:
                logger.warning("the screen helper failed: %s", error)
            except Exception:
                # Sessions live on without their screens.
                logger.exception("the screen helper failed")
            if self.now() - started >= STEADY_SECONDS:
                pause = RESTART_FIRST_SECONDS
            logger.warning("the screen helper ended; a new one starts in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, RESTART_MOST_SECONDS)

    async def _live(self) -> None:
        """Run one helper until it ends."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-c",
                _BOOT,
                str(_ROOT),
                str(os.getpid()),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,  # Ctrl-C at the server's terminal is not for it
            )
            self._process = process
            try:
                theirs.close()
                reader, writer = await asyncio.open_unix_connection(sock=ours)
                try:
                    await self._serve(reader, writer)
                finally:
                    self._writer = None
                    for screen in self._screens.values():
                        screen.detach()
                    writer.transport.abort()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
            finally:
                # It has nothing to lose, and waiting is short.
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                self._process = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._heard_at = self.now()
        self._to_rebuild = deque(self._screens.values())
        try:
            await self._read(reader)
        finally:
            if self._suspect is not None:
                self._suspect.strike()
                self._suspect = None

    def _rebuild(self) -> None:
        """Bring the helper to the state of all screens, one by one: a crash then has a name."""
        while True:
            if self._suspect is not None:
                if not self._suspect.is_rebuilt:
                    return
                self._suspect.note_rebuilt()
                self._suspect = None
            if not self._to_rebuild:
                return
            screen = self._to_rebuild.popleft()
            if screen.is_wanted and not screen.is_closed:
                self._suspect = screen
                screen.attach()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take frames until the helper is gone. Raises BrokenFrame."""
        while True:
            self._rebuild()
            try:
                header = await reader.readexactly(wire.HEADER.size)
                number, kind, length = wire.read_header(header)
                payload = await reader.readexactly(length)
            except (asyncio.IncompleteReadError, OSError):
                return
            self._heard_at = self.now()
            if kind is Kind.BROKEN:
                raise BrokenFrame(payload.decode(errors="replace"))
            screen = self._screens.get(number)
            if screen is not None:
                screen.take(kind, payload)

    async def _watch(self) -> None:
        """Take keyframes of quiet streams, and end a helper that is stuck."""
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            moment = self.now() - QUIET_SECONDS
            quiet = {screen for screen in self._fed_recently if screen.quiet_since(moment)}
            self._fed_recently -= quiet
            is_behind = any(screen.is_behind for screen in self._screens.values())
            if not is_behind:
                self._heard_at = self.now()
            elif self._process is not None and self.now() - self._heard_at > STUCK_SECONDS:
                logger.warning("the screen helper is stuck and is ended")
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
