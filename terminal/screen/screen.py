"""The model of one session's screen, seen from the server."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from protocol.size import Size
from terminal.screen import wire
from terminal.screen.errors import BrokenFrame, ScreenUnavailable
from terminal.screen.held import Held
from terminal.screen.limits import (
    DRAIN_WITHOUT_HELPER_SECONDS,
    FEED_FRAME_BYTES,
    KEYFRAME_AFTER_BYTES,
    KEYFRAME_QUIET_BYTES,
    MODEL_AFTER_BYTES,
    MODEL_AFTER_PIECES,
    SNAPSHOT_SECONDS,
    STRIKES,
)
from terminal.screen.past import Past
from terminal.screen.wire import Kind, Position, Snapshot, Tail

logger = logging.getLogger(__name__)


class House(Protocol):
    """What a screen needs of the house that made it (`house.py`)."""

    def may_attach(self, screen: Screen) -> bool:
        """Return whether there is a helper, and `screen` is not one of those it is given anyway."""
        ...

    def now(self) -> float:
        """Return the event loop's time."""
        ...

    def next_request(self) -> int:
        """Return a number that no pending request has."""
        ...

    def note_fed(self, screen: Screen) -> None:
        """Remember to look whether `screen` has gone quiet."""
        ...

    def hold(self, screen: Screen) -> None:
        """Call `screen.flush` within HOLD_SECONDS."""
        ...

    def forget(self, number: int) -> None:
        """Drop a closed screen."""
        ...

    def send(self, *parts: bytes) -> None:
        """Write a frame to the helper, or drop it when there is none. Never blocks."""
        ...


class Screen:
    """The model of one session's screen. Made by `ScreenHouse.open`; for one event loop."""

    def __init__(self, house: House, number: int, size: Size) -> None:
        self._house = house
        self._number = number
        self._past = Past(size)
        self._fed = Position(0, 0)
        self._held = Held(size)
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
        if not self._held.count:
            self._house.hold(self)
        if outputs := self._held.add(data, self._fed):
            self._pass_on(outputs)

    def flush(self) -> None:
        """Keep what was held back, and send it if there is a model."""
        self._pass_on(self._held.release(self._fed))

    def resize(self, size: Size) -> None:
        """Change the size at this place of the stream."""
        if self._closed:
            return
        self._fed = Position(self._fed.offset, self._fed.resizes + 1)
        self.flush()
        self._held.shortcut.resized(self._fed, size)
        self._past.add(size)
        if self._attached:
            self._send(Kind.RESIZE, wire.pack_size(size))
        else:
            self._attach_if_worth_it()

    async def drain(self, below: int) -> None:
        """Wait until the backlog is smaller than `below` bytes.

        Returns at once when closed, and after DRAIN_WITHOUT_HELPER_SECONDS when there is no helper.
        """
        while not self._closed and self.backlog >= below:
            self.flush()
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
                    self.flush()
                    self._send(Kind.SNAPSHOT, wire.pack_request(request, scrollback))
                else:
                    self._attach_if_worth_it()
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
        self._held.clear()
        self._house.forget(self._number)
        for answer, _ in self._requests.values():
            if not answer.done():
                answer.set_exception(ScreenUnavailable("the session is closed"))
        self._past.clear()
        self._wake()

    @property
    def kept_bytes(self) -> int:
        """Bytes kept here so that a new helper can be brought to the same state."""
        return self._past.kept_bytes + self._held.kept_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the emulator still has something to do for this screen."""
        if not self._attached:
            return self.is_wanted
        sent = self._fed.offset - self._held.count
        return (
            self._consumed.offset < sent
            or self._consumed.resizes < self._fed.resizes
            or bool(self._requests)
        )

    @property
    def is_wanted(self) -> bool:
        """Whether there is enough to model, or somebody waits to see it."""
        past = self._past
        return (
            past.keyframe is not None
            or bool(self._requests)
            or self.kept_bytes >= MODEL_AFTER_BYTES
            or past.pieces >= MODEL_AFTER_PIECES
        )

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def attach(self) -> None:
        """Bring a new helper to the present state (for the house)."""
        past = self._past
        self._keep(self._held.release(self._fed))
        self._attached = True
        self._keyframe_asked = False
        self._acknowledged = False
        self._consumed, self._goal = past.start, self._fed
        self._held.shortcut.forget()
        if past.keyframe is not None:
            self._send(Kind.RESTORE, wire.pack_position(past.start, past.keyframe))
        else:
            size = wire.pack_size(past.size)
            self._send(Kind.OPEN, wire.pack_position(past.start, size))
        for item in past:
            if isinstance(item, Size):
                self._send(Kind.RESIZE, wire.pack_size(item))
            else:
                self._send_output(item)
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

    def _attach_if_worth_it(self) -> None:
        if self.is_wanted and self._house.may_attach(self):
            self.attach()

    def _pass_on(self, outputs: list[bytes | Tail]) -> None:
        """Keep output, and send it if there is a model."""
        self._keep(outputs)
        if not self._attached:
            self._attach_if_worth_it()
            return
        for output in outputs:
            self._send_output(output)

    def _keep(self, outputs: list[bytes | Tail]) -> None:
        for output in outputs:
            self._house.note_fed(self)
            if self._past.add(output):
                logger.warning(
                    "screen %d: the bytes to rebuild it from were too many", self._number
                )

    def _is_worth_a_keyframe(self) -> bool:
        consumed = self._consumed.offset - self._past.start.offset
        return min(consumed, self._past.kept_bytes) >= KEYFRAME_AFTER_BYTES

    def _ask_keyframe(self, payload: bytes = b"") -> None:
        """Ask for a keyframe unless one is on its way."""
        if self._attached and not self._keyframe_asked:
            self._keyframe_asked = True
            self._send(Kind.KEYFRAME, payload)

    def quiet_since(self, moment: float) -> bool:
        """Return whether nothing was fed after `moment`; then asks for a keyframe if it pays."""
        if self._fed_at > moment:
            return False
        if self._past.kept_bytes >= KEYFRAME_QUIET_BYTES:
            self._ask_keyframe(wire.COMPACT)
        return True

    def take(self, kind: Kind, payload: bytes) -> None:
        """Take a frame from the helper (for the house). Raises BrokenFrame."""
        match kind:
            case Kind.CONSUMED:
                position, is_plain = wire.read_consumed(payload)
                if not self._consumed <= position <= self._fed:
                    raise BrokenFrame(f"position {position}")
                self._consumed = position
                self._acknowledged = True
                if is_plain:
                    self._held.shortcut.was_plain(position)
                if self._is_worth_a_keyframe():
                    self._ask_keyframe()
                self._wake()
            case Kind.KEYFRAME:
                position, keyframe = wire.read_position(payload)
                if position > self._consumed:
                    raise BrokenFrame(f"keyframe at {position}")
                self._keyframe_asked = False
                try:
                    self._past.keep(position, keyframe)
                except ValueError as error:
                    raise BrokenFrame(str(error)) from error
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
        self._house.send(wire.header(self._number, kind, len(payload)), payload)

    def _send_output(self, output: bytes | bytearray | Tail) -> None:
        if isinstance(output, Tail):
            self._send(Kind.TAIL, wire.pack_tail(output))
            return
        for start in range(0, len(output), FEED_FRAME_BYTES):
            self._send(Kind.FEED, bytes(output[start : start + FEED_FRAME_BYTES]))
