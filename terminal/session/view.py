"""One socket's place in a session: what it still has to be told, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from protocol import tty
from protocol.close import CloseCode
from terminal.session import limits
from terminal.session.spec import Holder
from terminal.session.window import AckWindow

if TYPE_CHECKING:
    from terminal.session.live import LiveSession


class View:
    """A participant's window on a session.

    The output itself is never queued here: a view is a position in the session's scrollback, and
    whoever is too far behind is given the exact screen instead. Only control events are queued
    (CONTROL_MESSAGES; full: the view is closed, for its socket reads nothing).

    One task calls `next` until it returns None; everything else returns at once.
    """

    def __init__(self, session: LiveSession, client: str, holder: Holder, may_own: bool) -> None:
        self.session = session
        self.client = client
        self.holder = holder
        self.may_own = may_own
        self.role: tty.Role = "viewer"
        self.close_code = CloseCode.NORMAL
        self._control: deque[tty.ServerEvent] = deque()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._window = AckWindow(0)
        self._skip_until = 0.0
        self._skip_at_once = False
        self._resync_reason: str | None = None
        self._closing = False
        self._told_end = False
        self._input_told = 0
        self._input_timer: asyncio.TimerHandle | None = None

    @property
    def position(self) -> int:
        """Offset of the next byte this view is sent."""
        return self._window.sent_to

    def start(self, offset: int | None) -> tuple[int, int]:
        """Place the view and return (offset, live) for its welcome.

        `offset` is the next byte that it needs, or None. Raises tty.BadFrame for a byte that does
        not exist yet.
        """
        output = self.session.output
        if offset is not None and offset > output.head:
            raise tty.BadFrame("`offset` is beyond the session's output.", head=output.head)
        if offset is not None and offset >= output.tail:
            place = offset
        elif offset is None and self.session.replay_is_exact:
            place = 0
        else:
            place = output.head
            self._resync_reason = "join" if self.role == "viewer" else "resume"
            self._window.jump(max(offset or 0, 0))
            return self.position, output.head
        self._window.jump(place)
        return place, output.head

    def wake(self) -> None:
        """Look again: there is more output, or an end."""
        self._wake.set()

    def tell(self, event: tty.ServerEvent) -> None:
        """Queue a control event."""
        if len(self._control) >= limits.CONTROL_MESSAGES:
            self._closing = True
            self.close_code = CloseCode.TIMED_OUT
        else:
            self._control.append(event)
        self._wake.set()

    def close(self, code: CloseCode, event: tty.ServerEvent | None = None) -> None:
        """Let `next` return None after what is queued; `event` is the last thing told."""
        if not self._closing:
            self._closing = True
            self.close_code = code
            if event is not None:
                self._control.append(event)
        self._wake.set()

    def acked(self, offset: int) -> None:
        """Take an acknowledgement. Raises tty.BadFrame for bytes that were never sent."""
        try:
            if self._window.acked(offset, self._loop.time()):
                self._wake.set()
        except ValueError as error:
            raise tty.BadFrame("`ack` names bytes that were never sent.") from error

    def skip_soon(self) -> None:
        """The person pressed an interrupt key: if this view is behind, show the newest screen."""
        self._skip_until = self._loop.time() + limits.INTERRUPT_SECONDS
        self._skip_at_once = True
        self._wake.set()

    def input_delivered(self, count: int) -> None:
        """Acknowledge input up to `count`, at once when it is much, else a little later."""
        if count - self._input_told >= limits.INPUT_ACK_BYTES:
            self._tell_input()
        elif self._input_timer is None and count > self._input_told:
            self._input_timer = self._loop.call_later(limits.INPUT_ACK_SECONDS, self._tell_input)

    def count_input_from(self, count: int) -> None:
        """Start acknowledging input at `count`: what the welcome or the role told."""
        self._input_told = count

    def left(self) -> None:
        """Drop what is pending: the socket is gone."""
        self._closing = True
        self._control.clear()
        if self._input_timer is not None:
            self._input_timer.cancel()
            self._input_timer = None
        self._wake.set()

    async def next(self) -> tty.ServerEvent | None:
        """Return the next event to send, or None when the socket is to be closed.

        Cancelling loses nothing.
        """
        while True:
            self._wake.clear()
            if self._control:
                return self._control.popleft()
            if self._closing:
                return None
            event = await self._resync() if self._must_resync() else self._output()
            if event is not None:
                return event
            if self._finished():
                return self._say_end()
            if not self._wake.is_set():
                await self._wake.wait()

    def _output(self) -> tty.OutputFrame | None:
        output, window = self.session.output, self._window
        most = min(window.room, limits.TURN_BYTES)
        if most <= 0 or window.sent_to >= output.head or self._resync_reason:
            return None
        offset = window.sent_to
        data = output.read(offset, most)
        window.sent(offset + len(data), self._loop.time())
        return tty.OutputFrame(offset, data)

    def _must_resync(self) -> bool:
        if self._resync_reason is not None:
            return True
        output, window = self.session.output, self._window
        if window.sent_to >= output.tail:
            behind = output.head - window.sent_to
            if behind <= 2 * window.size or self._loop.time() > self._skip_until:
                return False
        # A screen is paced by acknowledgements too: one on the way at a time, but for the first
        # after an interrupt key, which does not wait for what the line still carries.
        if window.in_flight and not self._skip_at_once:
            return False
        self._skip_at_once = False
        self._resync_reason = "lagging"
        return True

    async def _resync(self) -> tty.ServerEvent | None:
        try:
            snapshot = await self.session.screen.snapshot()
        except TimeoutError:
            self._loop.call_later(limits.SNAPSHOT_RETRY_SECONDS, self._wake.set)
            return None
        reason, self._resync_reason = self._resync_reason or "lagging", None
        now = self._loop.time()
        skipped = max(snapshot.offset - self._window.sent_to, 0)
        # Everything before the screen counts as seen; the screen itself is acknowledged by its
        # offset, so one byte less is on the way until the client has drawn it.
        self._window.jump(max(snapshot.offset - 1, 0))
        self._window.sent(snapshot.offset, now)
        self._control.appendleft(tty.ScreenFrame(snapshot.offset, snapshot.data))
        return tty.Resync(reason, skipped, snapshot.offset, snapshot.size.cols, snapshot.size.rows)

    def _finished(self) -> bool:
        return (
            self.session.ending is not None
            and not self._told_end
            and self._resync_reason is None
            and self._window.sent_to >= self.session.output.head
        )

    def _say_end(self) -> tty.Ended:
        ending = self.session.ending
        assert ending is not None
        self._told_end = True
        self._closing = True
        self.close_code = ending.close_code
        data = {**ending.data, "offset": self.session.output.head}
        return tty.Ended(ending.reason.value, ending.exit_code, ending.message, data)

    def _tell_input(self) -> None:
        if self._input_timer is not None:
            self._input_timer.cancel()
            self._input_timer = None
        delivered = max(self.session.inbox.delivered, 0)
        if self.role == "owner" and not self._closing and delivered > self._input_told:
            self._input_told = delivered
            self.tell(tty.InputDelivered(delivered))
