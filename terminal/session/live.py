"""A live session: one exec or attach stream, one owner, any number of viewers.

It outlives its sockets. Two loops that never touch each other carry the bytes: the reader takes
output from the cluster at full speed into the scrollback and the screen model; each view takes it
from there at its own speed. The writer delivers input and the latest size.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress

from protocol import tty
from protocol.close import CloseCode
from protocol.execution import (
    ExecRequest,
    ExecResult,
    Lost,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
)
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused
from protocol.size import Size
from terminal.session import limits
from terminal.session.deadlines import Deadlines
from terminal.session.ending import Ending, EndReason
from terminal.session.inbox import Inbox
from terminal.session.launch import Announcement, Shell
from terminal.session.limits import Limits
from terminal.session.outcome import explain, missing_target
from terminal.session.pace import Pace
from terminal.session.ports import (
    Effort,
    ExecBackend,
    ExecStream,
    Ledger,
    Reaped,
    Reaper,
    ScreenLike,
)
from terminal.session.scrollback import Scrollback
from terminal.session.signal import Signal
from terminal.session.spec import Holder, Kind, SessionSpec
from terminal.session.sweep import sweep, sweep_successor
from terminal.session.view import View

log = logging.getLogger(__name__)


class LiveSession:
    """The running object behind a session; `run` is its whole life and is called once."""

    def __init__(
        self,
        spec: SessionSpec,
        *,
        backend: ExecBackend,
        reaper: Reaper,
        ledger: Ledger,
        screen: ScreenLike,
        effort: Effort,
        size: Size,
        session_limits: Limits,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.holder: Holder = spec.holder
        """Whose login session keeps this one alive: the latest owner's."""
        self.size = size
        self.state = "starting"
        self.ending: Ending | None = None
        self.output = Scrollback(limits.SCROLLBACK_BYTES)
        self.inbox = Inbox(limits.INPUT_BYTES)
        self.screen = screen
        self.views: set[View] = set()
        self.owner: View | None = None
        self.epoch = 0
        self.bytes_in = 0
        self.input_enabled = spec.kind is Kind.EXEC or (
            spec.is_input_enabled and spec.pod.container_stdin
        )
        self.deadlines = Deadlines(session_limits)
        self._limits = session_limits
        self._backend = backend
        self._reaper = reaper
        self._ledger = ledger
        self._loop = loop
        self._effort = effort
        self._pace = Pace(spec.id, screen, effort)
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._was_resized = False
        self._opened = asyncio.Event()
        self.program = spec.launch.program if spec.launch else "attach"
        """What runs: bash, sh, the first word of a command; `auto` until its shell is known."""
        self._announcement = (
            Announcement() if spec.launch and spec.launch.shell is Shell.AUTO else None
        )
        self._program_known = Signal()
        self._is_ours = Signal()
        """Set when the first look after opening found the container that was authorised."""
        self._may_run = False
        self._handed: bytearray | None = None
        self._all_told: asyncio.Event | None = None

    @property
    def bytes_out(self) -> int:
        """Bytes of output since the session began."""
        return self.output.head

    @property
    def replay_is_exact(self) -> bool:
        """Whether the whole output, written to a fresh terminal, gives today's screen: all of it is
        kept and the size never changed."""
        return self.output.tail == 0 and not self._was_resized

    @property
    def viewers(self) -> int:
        """How many views watch without owning."""
        return len(self.views) - (self.owner is not None)

    # Participants

    def join(self, view: View, size: Size, offset: int | None) -> None:
        """Let a view in and queue its welcome. An owner takes over from an older one.

        Raises tty.BadFrame for an offset that does not exist yet.
        """
        if offset is not None and offset > self.output.head:
            raise tty.BadFrame("`offset` is beyond the session's output.", head=self.output.head)
        for twin in self.views:
            if twin.client == view.client and twin.holder.user_id == view.holder.user_id:
                # The same view came back before its old socket was noticed to be dead.
                twin.close(CloseCode.REPLACED)
        if view.may_own and self.ending is None:
            self._own(view, size)
        place, live = view.start(offset)
        self.views.add(view)
        view.tell(
            tty.Welcome(
                session=str(self.spec.id),
                role=view.role,
                epoch=self.epoch,
                input=self._input_of(view),
                offset=place,
                live=live,
                cols=self.size.cols,
                rows=self.size.rows,
                state=self.state,
                kind=self.spec.kind.value,
                input_enabled=self.input_enabled,
                command=self.program,
            )
        )
        self._tell_people()

    def leave(self, view: View) -> None:
        """Forget a view whose socket is gone. Without an owner the detach grace begins."""
        view.left()
        self.views.discard(view)
        if self.owner is view:
            self.owner = None
            self.deadlines.detach()
        self.was_told(view)
        self._tell_people()

    def take(self, view: View, size: Size) -> None:
        """Make a viewer of the same person the owner again; others are ignored."""
        if view not in self.views or view.is_closing:
            return
        if view.may_own and view is not self.owner and self.ending is None:
            self._own(view, size)
            view.tell(tty.RoleChanged("owner", self.epoch, "taken", self._input_of(view)))
            self._tell_people()

    def type(self, view: View, offset: int, data: bytes) -> None:
        """Accept input from the owner. Raises InputGap and InputOverflow.

        Input of a view that no longer owns the session is dropped: it was told.
        """
        if view is not self.owner or self._over.done():
            return
        if not self.input_enabled:
            view.tell(tty.Error("input_disabled", "Input is not enabled for this container.", {}))
            return
        fresh = self.inbox.add(offset, data)
        self._effort.answers(self.spec.id)
        now = self._loop.time()
        self.deadlines.typed(now)
        self.bytes_in += len(fresh)
        if len(fresh) <= 16 and any(key in fresh for key in limits.INTERRUPT_KEYS):
            self._pace.interrupted()
            view.skip_soon()

    def resize(self, view: View, size: Size) -> None:
        """Take the owner's size; a viewer's is ignored."""
        if view is self.owner and size != self.size:
            self._set_size(size)

    def close_by_owner(self, view: View) -> None:
        """End the session because its owner said so; others are ignored."""
        if view is self.owner:
            self.end(Ending(EndReason.CLOSED_BY_OWNER, "The session was closed."))

    def enable_input(self, view: View) -> bool:
        """Let the owner's input reach an attached main process, if that reads any.

        Returns whether this call enabled it.
        """
        if view is not self.owner or self.input_enabled:
            return False
        if not self.spec.pod.container_stdin:
            view.tell(
                tty.Error("no_stdin", "The main process was started without standard input.", {})
            )
            return False
        self.input_enabled = True
        for each in self.views:
            each.tell(tty.InputEnabled())
        return True

    def end(self, ending: Ending) -> bool:
        """Ask the session to end; the first reason wins. Returns whether this one did."""
        if self._over.done():
            return False
        self._over.set_result(ending)
        return True

    def was_told(self, view: View) -> None:
        """Note that a view was told the end or is gone."""
        if self._all_told is not None and all(each.is_closing for each in self.views):
            self._all_told.set()

    async def dismiss(self, seconds: float) -> None:
        """Give the views of an ended session this long to read the rest, then close them all."""
        self._all_told = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                while not all(view.is_closing for view in self.views):
                    self._all_told.clear()
                    await self._all_told.wait()
        except TimeoutError:
            self.cut()

    def cut(self) -> None:
        """Close every view at once: no more is coming."""
        for view in list(self.views):
            if self.ending is not None:
                view.dismiss()
            else:
                view.close(CloseCode.SHUTTING_DOWN)

    # Its life

    async def run(self) -> Ending:
        """Live: open the stream, carry bytes, end, and end what was started in the container.

        Whatever fails ends this session alone. Cancelling cuts it short: nothing is reaped or
        recorded then.
        """
        reaped: Reaped | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(self._stream()),
                    tasks.create_task(self._keep_time()),
                    tasks.create_task(self._watch_pod()),
                    tasks.create_task(self._enter_program()),
                ]
                entry = tasks.create_task(self._enter_live())
                ending = await self._over
                if not ending.data.get("unconfirmed"):
                    self._finish(ending)
                for part in parts:
                    part.cancel()
                if not self._opened.is_set():
                    entry.cancel()
        except* Exception as group:
            log.exception("session %s failed", self.spec.id, exc_info=group)
            ending = self.ending or Ending(EndReason.FAILED, "The session failed inside Hatchway.")
        if ending.reason is EndReason.EXITED and ending.data.get("unconfirmed"):
            reaped = await self._reap()
            if reaped is not None and reaped.leader_alive:
                ending = Ending.because(EndReason.LOST, Reason(ReasonCode.STREAM_LOST_RUNNING))
        if self.ending is None:
            self._finish(ending)
        assert self.ending is not None
        if reaped is None:
            reaped = await self._reap()
        await self._enter("its end", self._ledger.ended(self, self.ending, reaped))
        return self.ending

    def _finish(self, ending: Ending) -> None:
        data = {key: value for key, value in ending.data.items() if key != "unconfirmed"}
        self.ending = Ending(ending.reason, ending.message, ending.exit_code, data)
        self.state = "ended"
        for view in self.views:
            view.wake()

    async def _reap(self) -> Reaped | None:
        """End what was started in the container, if anything may have been."""
        if self.spec.kind is not Kind.EXEC or not self._may_run:
            return None
        reaped = await sweep(self.spec, self._reaper, self.spec.pod)
        ending = self.ending
        if ending is not None and ending.data.get("why") in ("pod_replaced", "container_restarted"):
            return await sweep_successor(self.spec, self._reaper, self._backend) or reaped
        return reaped

    async def _enter_live(self) -> None:
        await self._opened.wait()
        await self._enter("its start", self._ledger.went_live(self))

    async def _enter_program(self) -> None:
        await self._program_known.wait()
        await self._enter("its shell", self._ledger.learned_program(self))

    async def _enter(self, what: str, entry: Awaitable[None]) -> None:
        """Make an entry in the durable record. A failure is logged and ends nothing."""
        try:
            async with asyncio.timeout(limits.LEDGER_SECONDS):
                await entry
        except Exception:
            log.exception("session %s: %s was not recorded", self.spec.id, what)

    async def _stream(self) -> None:
        spec = self.spec
        launch = spec.launch
        attempts = len(launch.attempts(spec.marker, 0, 0)) if launch else 1
        result: ExecResult = Lost("nothing was started")
        for attempt in range(attempts):
            size = self.size
            command = (
                launch.attempts(spec.marker, size.cols, size.rows)[attempt] if launch else None
            )
            request = ExecRequest(
                spec.target,
                spec.identity,
                command,
                tty=launch is not None or spec.pod.container_tty,
                stdin=launch is not None or spec.pod.container_stdin,
                size=size,
            )
            self._may_run = True
            self._handed = bytearray() if attempt + 1 < attempts else None
            try:
                result = await self._carry(request)
            except StreamRefused as refused:
                result = refused.refused
                self._may_run = False
            except TimeoutError:
                # The process may have been started all the same.
                result = Refused(
                    Refusal.CLUSTER_UNREACHABLE,
                    "The cluster did not open the stream in time; try again.",
                )
            if isinstance(result, StartFailed):
                self._may_run = False
                if result.kind is StartFailure.NO_SHELL:
                    self.inbox.put_back(bytes(self._handed or b""))
                    continue
            break
        self.end(await explain(result, spec, self._backend))

    async def _carry(self, request: ExecRequest) -> ExecResult:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._limits.open_seconds):
                stream = await stack.enter_async_context(self._backend.open(request))
            self._opened.set()
            if self.state == "starting":
                self.state = "live"
                for view in self.views:
                    view.tell(tty.StateChanged("live"))
            async with asyncio.TaskGroup() as pumps:
                writer = pumps.create_task(self._write(stream))
                await self._read(stream, cooked=not request.tty)
                writer.cancel()
            return stream.result()

    async def _read(self, stream: ExecStream, *, cooked: bool) -> None:
        while (output := await stream.receive()) is not None:
            # Without a terminal the process writes bare line feeds; a terminal shows them as such.
            data = output.data.replace(b"\n", b"\r\n") if cooked else output.data
            self._handed = None
            if self._announcement is not None and not (data := self._listen(data)):
                continue
            self.output.append(data)
            self.screen.feed(data)
            for view in self.views:
                view.wake()
            await self._pace.after(len(data))
        if self._announcement is not None and (data := self._announcement.rest()):
            self.output.append(data)
            self.screen.feed(data)

    def _listen(self, data: bytes) -> bytes:
        """Learn which shell `auto` became, once, and return what is output."""
        announcement = self._announcement
        assert announcement is not None
        data = announcement.take(data)
        if announcement.is_over:
            self._announcement = None
        if announcement.shell is not None:
            self.program = announcement.shell
            self._program_known.set()
            for view in self.views:
                view.tell(tty.CommandKnown(self.program))
        return data

    async def _write(self, stream: ExecStream) -> None:
        await self._is_ours.wait()
        inbox, resize_at = self.inbox, 0.0
        while True:
            await inbox.wait()
            if self._loop.time() >= resize_at and (size := inbox.take_size()) is not None:
                resize_at = self._loop.time() + limits.RESIZE_SECONDS
                self.screen.resize(size)
                for view in self.views:
                    if view is not self.owner:
                        view.tell(tty.SizeChanged(self.output.head, size.cols, size.rows))
                await stream.resize(size)
            elif data := inbox.take_input(limits.STDIN_PIECE_BYTES):
                await self._deliver(stream, data)
            else:
                # Only a size waits: let later ones replace it until its turn has come.
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(resize_at):
                        await inbox.wait_for_input()

    async def _deliver(self, stream: ExecStream, data: bytes) -> None:
        if self._handed is not None:
            # Until there is output, another program may have to be tried: it is given this then.
            self._handed += data
            if len(self._handed) > limits.INPUT_BYTES:
                self._handed = None
        try:
            await stream.send_stdin(data)
        finally:
            self.inbox.done(len(data))
        if self.owner is not None:
            self.owner.input_delivered(self.inbox.delivered)

    async def _keep_time(self) -> None:
        self.end(await self.deadlines.passed())

    async def _watch_pod(self) -> None:
        """End the session when its container is gone, even if the stream stays open and silent.

        The first look, right after the stream was opened by name, makes sure that the name still
        meant the pod that the person was authorised for. Nothing is typed into it before.
        """
        await self._opened.wait()
        while True:
            if (ending := await missing_target(self.spec, self._backend)) is not None:
                self.end(ending)
                return
            self._is_ours.set()
            await asyncio.sleep(limits.POD_CHECK_SECONDS)

    # Small steps

    def _own(self, view: View, size: Size) -> None:
        before = self.owner
        self.epoch += 1
        self.owner = view
        self.holder = view.holder
        self.deadlines.attach()
        view.role = "owner"
        self.inbox.claim(view.client)
        view.count_input_from(self.inbox.accepted)
        if before is not None and before is not view:
            before.role = "viewer"
            before.tell(tty.RoleChanged("viewer", self.epoch, "replaced", 0))
        if size != self.size:
            self._set_size(size)

    def _set_size(self, size: Size) -> None:
        self.size = size
        self.inbox.resize(size)
        if self.output.head:
            self._was_resized = True

    def _input_of(self, view: View) -> int:
        return self.inbox.accepted if view is self.owner else 0

    def _tell_people(self) -> None:
        for view in self.views:
            view.tell(tty.People(self.viewers))
