"""A live session: one exec or attach stream, one owner, any number of viewers.

It outlives its sockets. Two loops that never touch each other carry the bytes: the reader takes
output from the cluster at full speed into the scrollback and the screen model; each view takes it
from there at its own speed. The writer delivers input and the latest size.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack

from protocol import tty
from protocol.close import CloseCode
from protocol.execution import (
    ExecRequest,
    ExecResult,
    Exited,
    Lost,
    PodFacts,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.refusal import StreamRefused
from protocol.size import Size
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from terminal.session.inbox import Inbox
from terminal.session.limits import Limits
from terminal.session.ports import ExecBackend, ExecStream, Ledger, Reaped, Reaper, ScreenLike
from terminal.session.scrollback import Scrollback
from terminal.session.spec import Holder, Kind, SessionSpec
from terminal.session.view import View

log = logging.getLogger(__name__)

_KILLED = 137
"""128 + SIGKILL: what a stopped container's processes exit with."""


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
        self.input_enabled = spec.kind is Kind.EXEC
        self.detached_at: float | None = loop.time()
        """When the last owner left (loop time), None while one is there."""
        self._limits = session_limits
        self._backend = backend
        self._reaper = reaper
        self._ledger = ledger
        self._loop = loop
        self._started_at = loop.time()
        self._last_input = loop.time()
        self._last_interrupt = -limits.INTERRUPT_SECONDS
        self._interrupted = asyncio.Event()
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._timers_changed = asyncio.Event()
        self._first_size = size
        self._opened = asyncio.Event()

    @property
    def bytes_out(self) -> int:
        """Bytes of output since the session began."""
        return self.output.head

    @property
    def replay_is_exact(self) -> bool:
        """Whether the whole output, written to a fresh terminal, gives today's screen: all of it is
        kept and the size never changed."""
        return self.output.tail == 0 and self._first_size == self.size

    @property
    def viewers(self) -> int:
        """How many views watch without owning."""
        return len(self.views) - (self.owner is not None)

    @property
    def command_label(self) -> str:
        """The shell selector's word, or `attach`."""
        return self.spec.launch.shell.value if self.spec.launch else "attach"

    # Participants

    def join(self, view: View, size: Size, offset: int | None) -> None:
        """Let a view in and queue its welcome. An owner takes over from an older one.

        Raises tty.BadFrame for an offset that does not exist yet.
        """
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
                command=self.command_label,
            )
        )
        self._tell_people()

    def leave(self, view: View) -> None:
        """Forget a view whose socket is gone. Without an owner the detach grace begins."""
        view.left()
        self.views.discard(view)
        if self.owner is view:
            self.owner = None
            self.detached_at = self._loop.time()
            self._timers_changed.set()
        self._tell_people()

    def take(self, view: View, size: Size) -> None:
        """Make a viewer of the same person the owner again; others are ignored."""
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
        now = self._loop.time()
        self._last_input = now
        self.bytes_in += len(fresh)
        if len(fresh) <= 16 and any(key in fresh for key in limits.INTERRUPT_KEYS):
            self._last_interrupt = now
            self._interrupted.set()
            view.skip_soon()

    def resize(self, view: View, size: Size) -> None:
        """Take the owner's size; a viewer's is ignored."""
        if view is self.owner and size != self.size:
            self._set_size(size)

    def enable_input(self, view: View) -> None:
        """Let the owner's input reach an attached main process, if that reads any."""
        if view is not self.owner or self.input_enabled:
            return
        if not self.spec.pod.container_stdin:
            view.tell(
                tty.Error("no_stdin", "The main process was started without standard input.", {})
            )
            return
        self.input_enabled = True
        for each in self.views:
            each.tell(tty.InputEnabled())

    def end(self, ending: Ending) -> bool:
        """Ask the session to end; the first reason wins. Returns whether this one did."""
        if self._over.done():
            return False
        self._over.set_result(ending)
        return True

    # Its life

    async def run(self) -> Ending:
        """Live: open the stream, carry bytes, end, and end what was started in the container."""
        reaped: Reaped | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(self._stream()),
                    tasks.create_task(self._keep_time()),
                    tasks.create_task(self._watch_pod()),
                ]
                ending = await self._over
                if not ending.data.get("unconfirmed"):
                    self._finish(ending)
                for part in parts:
                    part.cancel()
        except* Exception as group:
            log.exception("session %s failed", self.spec.id, exc_info=group)
            ending = Ending(EndReason.FAILED, "The session failed inside Hatchway.")
        if ending.reason is EndReason.EXITED and ending.data.get("unconfirmed"):
            reaped = await self._reap()
            if reaped is not None and reaped.leader_alive:
                ending = Ending(
                    EndReason.LOST,
                    "The connection to the container was lost; its shell was still running and "
                    "has been ended.",
                )
        if self.ending is None:
            self._finish(ending)
        if reaped is None:
            reaped = await self._reap()
        await self._ledger.ended(self, ending, reaped)
        return ending

    def _finish(self, ending: Ending) -> None:
        data = {key: value for key, value in ending.data.items() if key != "unconfirmed"}
        self.ending = Ending(ending.reason, ending.message, ending.exit_code, data)
        self.state = "ended"
        for view in self.views:
            view.wake()

    async def _reap(self) -> Reaped | None:
        if self.spec.kind is not Kind.EXEC or not self._opened.is_set():
            return None
        spec = self.spec
        return await self._reaper.reap(spec.target, spec.identity, spec.pod.uid, spec.marker)

    async def _stream(self) -> None:
        spec = self.spec
        launch = spec.launch
        commands = (
            launch.attempts(spec.marker, self.size.cols, self.size.rows) if launch else [None]
        )
        result: ExecResult = Lost("nothing was started")
        for command in commands:
            request = ExecRequest(
                spec.target,
                spec.identity,
                command,
                tty=launch is not None or spec.pod.container_tty,
                stdin=launch is not None or spec.pod.container_stdin,
                size=self.size,
            )
            try:
                result = await self._carry(request)
            except StreamRefused as refused:
                result = refused.refused
            except TimeoutError:
                result = Refused(
                    Refusal.CLUSTER_UNREACHABLE,
                    "The cluster did not open the stream in time; try again.",
                )
            if not (isinstance(result, StartFailed) and result.kind is StartFailure.NO_SHELL):
                break
        self.end(await self._explain(result))

    async def _carry(self, request: ExecRequest) -> ExecResult:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._limits.open_seconds):
                stream = await stack.enter_async_context(self._backend.open(request))
            self._opened.set()
            if self.state == "starting":
                self.state = "live"
                for view in self.views:
                    view.tell(tty.StateChanged("live"))
                await self._ledger.went_live(self)
            async with asyncio.TaskGroup() as pumps:
                writer = pumps.create_task(self._write(stream))
                await self._read(stream, cooked=not request.tty)
                writer.cancel()
            return stream.result()

    async def _read(self, stream: ExecStream, *, cooked: bool) -> None:
        turn = 0
        while (output := await stream.receive()) is not None:
            # Without a terminal the process writes bare line feeds; a terminal shows them as such.
            data = output.data.replace(b"\n", b"\r\n") if cooked else output.data
            self.output.append(data)
            self.screen.feed(data)
            for view in self.views:
                view.wake()
            turn += len(data)
            if turn >= limits.TURN_BYTES:
                turn = 0
                await asyncio.sleep(0)
                if self.screen.backlog > limits.SCREEN_BACKLOG_BYTES:
                    await self._slow_down()

    async def _slow_down(self) -> None:
        """Wait for the screen model in a long flood; an interrupt key lifts it for a moment."""
        while self.screen.backlog > limits.SCREEN_BACKLOG_BYTES:
            if (
                self._loop.time() - self._last_interrupt < limits.INTERRUPT_SECONDS
                and self.screen.backlog < limits.SCREEN_BACKLOG_INTERRUPTED_BYTES
            ):
                return
            self._interrupted.clear()
            async with asyncio.TaskGroup() as waits:
                both = [
                    waits.create_task(self.screen.drain(limits.SCREEN_BACKLOG_BYTES)),
                    waits.create_task(self._interrupted.wait()),
                ]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for wait in both:
                    wait.cancel()

    async def _write(self, stream: ExecStream) -> None:
        resized_at = 0.0
        while True:
            await self.inbox.wait()
            if data := self.inbox.take_input(limits.STDIN_PIECE_BYTES):
                await stream.send_stdin(data)
                self.inbox.done(len(data))
                if self.owner is not None:
                    self.owner.input_delivered(self.inbox.delivered)
            pause = resized_at + limits.RESIZE_SECONDS - self._loop.time()
            if pause > 0 and not self.inbox.has_input:
                # Only a size waits: let later ones replace it until its turn has come.
                await asyncio.sleep(pause)
                pause = 0
            if pause <= 0 and (size := self.inbox.take_size()) is not None:
                resized_at = self._loop.time()
                self.screen.resize(size)
                await stream.resize(size)

    async def _keep_time(self) -> None:
        """End the session when one of its clocks has run out."""
        while True:
            self._timers_changed.clear()
            due, ending = min(self._deadlines(), key=lambda each: each[0])
            if due <= self._loop.time():
                self.end(ending)
                return
            try:
                async with asyncio.timeout_at(due if due != float("inf") else None):
                    await self._timers_changed.wait()
            except TimeoutError:
                continue

    def _deadlines(self) -> list[tuple[float, Ending]]:
        rules, never = self._limits, float("inf")
        return [
            (
                never
                if self.detached_at is None
                else self.detached_at + rules.detach_grace_seconds,
                Ending(EndReason.DETACHED, "Nobody came back to the session in time."),
            ),
            (
                self._last_input + rules.idle_seconds if rules.idle_seconds else never,
                Ending(EndReason.IDLE, "Nothing was typed for too long."),
            ),
            (
                self._started_at + rules.max_seconds if rules.max_seconds else never,
                Ending(EndReason.EXPIRED, "The session reached its longest allowed time."),
            ),
        ]

    async def _watch_pod(self) -> None:
        """End the session when its container is gone, even if the stream stays open and silent.

        The first look, right after the stream was opened by name, makes sure that the name still
        meant the pod that the person was authorised for.
        """
        await self._opened.wait()
        while True:
            if (ending := await self._missing_target()) is not None:
                self.end(ending)
                return
            await asyncio.sleep(limits.POD_CHECK_SECONDS)

    async def _missing_target(self) -> Ending | None:
        """Say that the container is gone, or None when it is there or nobody can tell."""
        spec = self.spec
        try:
            pod = await self._backend.inspect(spec.target, spec.identity)
        except StreamRefused as refused:
            if refused.refused.kind in (Refusal.POD_NOT_FOUND, Refusal.CONTAINER_NOT_FOUND):
                return _gone("pod_deleted", "The pod was deleted.")
            return None
        if pod.uid != spec.pod.uid:
            return _gone("pod_replaced", "The pod was replaced by a new one of the same name.")
        if pod.container_id != spec.pod.container_id or not pod.container_running:
            return _gone(
                "container_restarted",
                f"The container ended or was restarted{_because(pod)}.",
                pod.exit_code,
            )
        return None

    async def _explain(self, result: ExecResult) -> Ending:
        match result:
            case Refused(kind, message):
                return Ending(EndReason.REFUSED, message, data={"kind": kind.value})
            case StartFailed(kind, message):
                return Ending(EndReason.START_FAILED, message, data={"kind": kind.value})
            case Exited(code) if code != _KILLED:
                return Ending(EndReason.EXITED, f"The shell ended with exit code {code}.", code)
            case Success(confirmed) if self.spec.kind is Kind.EXEC:
                gone = None if confirmed else await self._missing_target()
                return gone or Ending(
                    EndReason.EXITED,
                    "The shell ended with exit code 0.",
                    0,
                    {} if confirmed else {"unconfirmed": True},
                )
        gone = await self._missing_target()
        if gone is not None:
            return gone
        if isinstance(result, Exited):
            return Ending(EndReason.EXITED, "The shell was killed (exit code 137).", result.code)
        if isinstance(result, Success):
            return Ending(EndReason.EXITED, "The main process closed its output.")
        return Ending(
            EndReason.LOST,
            "The connection to the cluster was lost; what was running was told to end.",
        )

    # Small steps

    def _own(self, view: View, size: Size) -> None:
        before = self.owner
        self.epoch += 1
        self.owner = view
        self.holder = view.holder
        self.detached_at = None
        self._timers_changed.set()
        view.role = "owner"
        self.inbox.claim(view.client)
        view.count_input_from(self.inbox.accepted)
        if before is not None and before is not view:
            before.role = "viewer"
            if before.client == view.client:
                # The same view came back before its old socket was noticed to be dead.
                before.close(CloseCode.REPLACED)
            else:
                before.tell(tty.RoleChanged("viewer", self.epoch, "replaced", 0))
        if size != self.size:
            self._set_size(size)

    def _set_size(self, size: Size) -> None:
        self.size = size
        self.inbox.resize(size)
        if not self.output.head:
            self._first_size = size
        for view in self.views:
            if view is not self.owner:
                view.tell(tty.SizeChanged(self.output.head, size.cols, size.rows))

    def _input_of(self, view: View) -> int:
        return self.inbox.accepted if view is self.owner else 0

    def _tell_people(self) -> None:
        for view in self.views:
            view.tell(tty.People(self.viewers))


def _gone(why: str, message: str, exit_code: int | None = None) -> Ending:
    return Ending(EndReason.TARGET_GONE, message, exit_code, {"why": why})


def _because(pod: PodFacts) -> str:
    return f" ({pod.reason})" if pod.reason else ""
