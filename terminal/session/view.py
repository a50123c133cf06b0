"""One socket's place in a session: what it still has to be told, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from protocol import tty
from protocol.close import CloseCode
from terminal.session import limits
from terminal.session.signal import Signal
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
        # Not a deque: an empty one takes 0.7 KiB. There are few events, see CONTROL_MESSAGES.
        self._control: list[tty.ServerEvent] = []
        self._wake = Signal()
        self._loop = asyncio.get_running_loop()
        self._window = AckWindow(0)
        self._skip_until = 0.0
        self._skip_at_once = False
        self._resync_reason: str | None = None
        self._missed_snapshots = 0
        self._retry_timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._input_told = 0
        self._input_timer: asyncio.TimerHandle | None = None

    @property
    def position(self) -> int:
        """Offset of the next byte this view is sent."""
        return self._window.sent_to

    @property
    def is_closing(self) -> bool:
        """Whether `next` returns None after what is queued."""
        return self._closing

    def start(self, offset: int | None) -> tuple[int, int]:
        """Place the view and return (offset, live) for its welcome.

        `offset` is the next byte that it needs, or None; it is not beyond the session's output.
        """
        output = self.session.output
        if offset is not None and offset >= output.tail:
            self._window.jump(offset)
        elif offset is None and self.session.replay_is_exact:
            self._window.jump(0)
        else:
            self._resync_reason = "join" if offset is None and self.role == "viewer" else "resume"
            self._window.jump(offset or 0)
        return self.position, output.head

    def wake(self) -> None:
        """Look again: there is more output, or an end."""
        self._wake.set()

    def tell(self, event: tty.ServerEvent) -> None:
        """Queue a control event. Of numbers of people only the latest is kept."""
        if isinstance(event, tty.People):
            for index, queued in enumerate(self._control):
                if isinstance(queued, tty.People):
                    self._control[index] = event
                    return
        if self._closing:
            return
        if len(self._control) >= limits.CONTROL_MESSAGES:
            self.close(CloseCode.TIMED_OUT)
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
            is_news = self._window.acked(offset, self._loop.time())
        except ValueError as error:
            raise tty.BadFrame("`ack` names bytes that were never sent.") from error
        if is_news and self._waits_for_acks():
            self._wake.set()

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
        for timer in (self._input_timer, self._retry_timer):
            if timer is not None:
                timer.cancel()
        self._input_timer = self._retry_timer = None
        self._wake.set()

    def dismiss(self) -> None:
        """Say why the session ended although not everything before it was sent, and close."""
        if not self._closing:
            ended = self._say_end()
            self._control.append(ended)
            self._wake.set()

    async def next(self) -> tty.ServerEvent | None:
        """Return the next event to send, or None when the socket is to be closed.

        Cancelling loses nothing.
        """
        while True:
            self._wake.clear()
            if self._control:
                return self._control.pop(0)
            if self._closing:
                return None
            if self._wants_screen():
                if self._may_ask_for_screen():
                    event = await self._resync()
                    if event is not None:
                        return event
                    if self._control or self._closing:
                        continue
            elif (output := self._output()) is not None:
                return output
            if self._is_finished():
                return self._say_end()
            if not self._wake.is_set():
                await self._wake.wait()

    def _waits_for_acks(self) -> bool:
        return self.position < self.session.output.head or self._resync_reason is not None

    def _output(self) -> tty.OutputFrame | None:
        output, window = self.session.output, self._window
        most = min(window.room, window.piece, limits.TURN_BYTES)
        if most <= 0 or window.sent_to >= output.head:
            return None
        offset = window.sent_to
        data = output.read(offset, most)
        window.sent(offset + len(data), self._loop.time())
        return tty.OutputFrame(offset, data)

    def _wants_screen(self) -> bool:
        """Whether a screen comes next: no output is sent before it."""
        if self._resync_reason is None and self._is_lagging():
            self._resync_reason = "lagging"
        return self._resync_reason is not None

    def _is_lagging(self) -> bool:
        output, window = self.session.output, self._window
        may_skip = self._loop.time() <= self._skip_until
        self._skip_at_once = self._skip_at_once and may_skip
        if window.sent_to < output.tail:
            return True
        return may_skip and output.head - window.sent_to > 2 * window.size

    def _may_ask_for_screen(self) -> bool:
        # A screen is paced by acknowledgements too: one on the way at a time, but for the first
        # after an interrupt key, which does not wait for what the line still carries.
        if self._window.in_flight and not self._skip_at_once:
            return False
        return self._retry_timer is None

    async def _resync(self) -> tty.ServerEvent | None:
        try:
            snapshot = await self.session.screen.snapshot()
        except TimeoutError:
            self._try_again_later()
            return None
        if self._closing:
            return None
        output, window = self.session.output, self._window
        if snapshot.offset < window.sent_to or (
            snapshot.offset == window.sent_to and self._resync_reason == "lagging"
        ):
            # The model is further behind than this view: showing it would go back in time.
            if window.sent_to >= output.tail:
                self._resync_reason, self._skip_until = None, 0.0
                self._wake.set()
            else:
                self._try_again_later()
            return None
        reason, self._resync_reason = self._resync_reason or "lagging", None
        self._skip_at_once = False
        self._missed_snapshots = 0
        skipped = snapshot.offset - window.sent_to
        window.screen(snapshot.offset, len(snapshot.data), self._loop.time())
        self._control.insert(0, tty.ScreenFrame(snapshot.offset, snapshot.data))
        return tty.Resync(reason, skipped, snapshot.offset, snapshot.size.cols, snapshot.size.rows)

    def _try_again_later(self) -> None:
        self._missed_snapshots += 1
        if not self._closing:
            self._retry_timer = self._loop.call_later(limits.SNAPSHOT_RETRY_SECONDS, self._retry)

    def _retry(self) -> None:
        self._retry_timer = None
        self._wake.set()

    def _is_finished(self) -> bool:
        if self.session.ending is None:
            return False
        if self._resync_reason is not None:
            # Whoever lagged to the last is told the end without the last screen if there is none.
            return self._missed_snapshots >= limits.SNAPSHOT_TRIES
        return self._window.sent_to >= self.session.output.head

    def _say_end(self) -> tty.Ended:
        ending = self.session.ending
        assert ending is not None
        self._closing = True
        self.close_code = ending.close_code
        self.session.was_told(self)
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
