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
from terminal.screen.errors import BrokenFrame, ScreenUnavailable
from terminal.screen.limits import (
    DRAIN_WITHOUT_HELPER_SECONDS,
    FEED_FRAME_BYTES,
    KEYFRAME_AFTER_BYTES,
    KEYFRAME_QUIET_BYTES,
    QUIET_SECONDS,
    RESTART_FIRST_SECONDS,
    RESTART_MOST_SECONDS,
    SNAPSHOT_SECONDS,
    SOCKET_BUFFER_BYTES,
    STEADY_SECONDS,
    STRIKES,
    STUCK_SECONDS,
)
from terminal.screen.past import Past
from terminal.screen.wire import Kind, Position, Snapshot, frame

logger = logging.getLogger(__name__)

# `-I` leaves the project out of the helper's path, so it is told where the project is.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from terminal.screen.process import main; main(int(sys.argv[2]))"
)
_ROOT = Path(__file__).resolve().parents[2]


class Screen:
    """The model of one session's screen. Made by `ScreenHouse.open`; for one event loop."""

    def __init__(self, house: ScreenHouse, number: int, size: Size) -> None:
        self._house = house
        self._number = number
        self._past = Past(size)
        self._fed = Position(0, 0)
        self._consumed = Position(0, 0)
        self._requests: dict[int, tuple[asyncio.Future[Snapshot], int]] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._attached = False
        self._acknowledged = False
        self._goal = Position(0, 0)
        self._closed = False
        self._keyframe_asked = False
        self._fed_at = 0.0
        self._strikes = 0

    @property
    def backlog(self) -> int:
        """Bytes fed and not yet consumed by the emulator."""
        return self._fed.offset - self._consumed.offset

    def feed(self, data: bytes) -> None:
        """Add output, in stream order. Never blocks and never fails because of the helper."""
        if self._closed or not data:
            return
        self._fed = Position(self._fed.offset + len(data), self._fed.resizes)
        self._fed_at = self._house.now()
        self._house.note_fed(self)
        if self._past.add(data):
            logger.warning("screen %d: the bytes to rebuild it from were too many", self._number)
        if self._attached:
            self._send_output(data)

    def resize(self, size: Size) -> None:
        """Change the size at this place of the stream."""
        if self._closed:
            return
        self._fed = Position(self._fed.offset, self._fed.resizes + 1)
        self._past.add(size)
        if self._attached:
            self._send(Kind.RESIZE, wire.pack_size(size))

    async def drain(self, below: int) -> None:
        """Wait until the backlog is smaller than `below` bytes.

        Returns at once when closed, and after DRAIN_WITHOUT_HELPER_SECONDS when there is no helper.
        """
        while not self._closed and self.backlog >= below:
            attached = self._attached
            woken = asyncio.get_running_loop().create_future()
            self._waiting.add(woken)
            try:
                async with asyncio.timeout(None if attached else DRAIN_WITHOUT_HELPER_SECONDS):
                    await woken
            except TimeoutError:
                if not self._attached:
                    return
            finally:
                self._waiting.discard(woken)

    async def snapshot(self, scrollback: int = 0) -> Snapshot:
        """Return the exact screen after all that was fed so far.

        `scrollback`: lines above the screen to draw too (0 to SCROLLBACK_LINES). Raises
        ScreenUnavailable after SNAPSHOT_SECONDS, or at once when the screen is closed.
        """
        if self._closed:
            raise ScreenUnavailable("the session is closed")
        request = self._house.next_request()
        answer: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        self._requests[request] = (answer, scrollback)
        try:
            async with asyncio.timeout(SNAPSHOT_SECONDS):
                if self._attached:
                    self._send(Kind.SNAPSHOT, wire.pack_request(request, scrollback))
                return await answer
        except ScreenUnavailable:
            raise
        except TimeoutError:
            why = "the model is behind" if self._attached else "its helper is being started"
            raise ScreenUnavailable(why) from None
        finally:
            self._requests.pop(request, None)

    def close(self) -> None:
        """Forget the screen. Pending snapshots fail, pending drains return."""
        if self._closed:
            return
        self._closed = True
        if self._attached:
            self._send(Kind.CLOSE)
        self._attached = False
        self._house.forget(self._number)
        for answer, _ in self._requests.values():
            if not answer.done():
                answer.set_exception(ScreenUnavailable("the session is closed"))
        self._past.clear()
        self._wake()

    @property
    def kept_bytes(self) -> int:
        """Bytes kept here so that a new helper can be brought to the same state."""
        return self._past.kept_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the emulator still has something to do for this screen."""
        return self._consumed < self._fed or bool(self._requests)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def attach(self) -> None:
        """Bring a new helper to the present state (for the house)."""
        past = self._past
        self._attached = True
        self._keyframe_asked = False
        self._acknowledged = False
        self._consumed, self._goal = past.start, self._fed
        if past.keyframe is not None:
            self._send(Kind.RESTORE, wire.pack_position(past.start, past.keyframe))
        else:
            size = wire.pack_size(past.size)
            self._send(Kind.OPEN, wire.pack_position(past.start, size))
        for item in past:
            if isinstance(item, Size):
                self._send(Kind.RESIZE, wire.pack_size(item))
            else:
                self._send_output(bytes(item))
        for request, (_, scrollback) in self._requests.items():
            self._send(Kind.SNAPSHOT, wire.pack_request(request, scrollback))

    def detach(self) -> None:
        """Note that the helper is gone (for the house)."""
        self._attached = False
        self._wake()

    def strike(self) -> None:
        """Note that rebuilding this screen killed the helper (for the house)."""
        self._strikes += 1
        logger.warning("screen %d: rebuilding it ended the helper", self._number)
        if self._strikes >= STRIKES:
            self._strikes = 0
            self._past.drop_all()

    @property
    def is_rebuilt(self) -> bool:
        """Whether the helper has caught up with what was fed before `attach` (for the house)."""
        return self._closed or (self._acknowledged and self._consumed >= self._goal)

    def note_rebuilt(self) -> None:
        """Note that rebuilding went well (for the house)."""
        self._strikes = 0

    def ask_keyframe(self) -> None:
        """Ask for a keyframe unless one is on its way (for the house)."""
        if self._attached and not self._keyframe_asked:
            self._keyframe_asked = True
            self._send(Kind.KEYFRAME)

    def quiet_since(self, moment: float) -> bool:
        """Return whether nothing was fed after `moment`; then asks for a keyframe if it pays."""
        if self._fed_at > moment:
            return False
        if self._past.kept_bytes >= KEYFRAME_QUIET_BYTES:
            self.ask_keyframe()
        return True

    def take(self, kind: Kind, payload: bytes) -> None:
        """Take a frame from the helper (for the house). Raises BrokenFrame."""
        match kind:
            case Kind.CONSUMED:
                position, _ = wire.read_position(payload)
                if not self._consumed <= position <= self._fed:
                    raise BrokenFrame(f"position {position}")
                self._consumed = position
                self._acknowledged = True
                if position.offset - self._past.start.offset >= KEYFRAME_AFTER_BYTES:
                    self.ask_keyframe()
                self._wake()
            case Kind.KEYFRAME:
                position, keyframe = wire.read_position(payload)
                self._keyframe_asked = False
                self._past.keep(position, keyframe)
            case Kind.SNAPSHOT:
                request, snapshot = wire.read_snapshot(payload)
                answer, _ = self._requests.get(request, (None, 0))
                if answer is not None and not answer.done():
                    answer.set_result(snapshot)
            case Kind.FAILED:
                request, sentence = wire.read_failed(payload)
                if request == wire.NO_REQUEST:
                    logger.warning("screen %d has no keyframe: %s", self._number, sentence)
                    self._keyframe_asked = False
                answer, _ = self._requests.get(request, (None, 0))
                if answer is not None and not answer.done():
                    answer.set_exception(ScreenUnavailable(sentence))
            case _:
                raise BrokenFrame(f"kind {kind} is not for the server")

    def _wake(self) -> None:
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)

    def _send(self, kind: Kind, payload: bytes = b"") -> None:
        self._house.send(frame(self._number, kind, payload))

    def _send_output(self, data: bytes) -> None:
        for start in range(0, len(data), FEED_FRAME_BYTES):
            self._send(Kind.FEED, data[start : start + FEED_FRAME_BYTES])


class ScreenHouse:
    """Owner of the helper process and of all screens. An async context manager.

    Leaving it closes every screen and ends the helper.
    """

    def __init__(self) -> None:
        self._screens: dict[int, Screen] = {}
        self._fed_recently: set[Screen] = set()
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
        for task in self._own:
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    def open(self, size: Size) -> Screen:
        """Return the model of a new, blank terminal. Close it when the session ends."""
        self._numbers += 1
        screen = Screen(self, self._numbers, size)
        self._screens[self._numbers] = screen
        if self._writer is not None:
            screen.attach()
        return screen

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

    def forget(self, number: int) -> None:
        """Drop a closed screen."""
        screen = self._screens.pop(number, None)
        if screen is not None:
            self._fed_recently.discard(screen)

    def send(self, data: bytes) -> None:
        """Write to the helper; without one it is dropped, for the screens keep what is needed."""
        if self._writer is not None and not self._writer.transport.is_closing():
            self._writer.write(data)

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
            if not screen.is_closed:
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
