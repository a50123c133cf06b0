"""A session host with everything around it faked, and the clients that join its sessions.

async with World() as world:
    session = world.open()
    client = world.join(session)
    await client.sees(b"$ ")
    client.types(b"ls\\r")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self
from uuid import uuid4

from protocol import tty
from protocol.execution import (
    PodFacts,
)
from protocol.size import Size
from terminal.session.ending import Ending
from terminal.session.host import SessionHost
from terminal.session.launch import Launch, Shell
from terminal.session.limits import Limits
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped, Screens
from terminal.session.spec import Holder, Kind, SessionSpec
from terminal.session.view import View
from tests.terminal.session.fakes import (
    ALICE,
    DEADLINE_SECONDS,
    IDENTITY,
    POD,
    SIZE,
    TARGET,
    FakeCluster,
    FakeEffort,
    FakeLedger,
    FakeReaper,
    FakeScreens,
    FakeSentinel,
)


class Client:
    """The other end of a view: what a terminal has been written, and where.

    It reads when it is told to, so a test decides how far behind it is.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.session = view.session
        self.events: list[tty.ServerEvent] = []
        self.text = b""
        """Output since the last screen."""
        self.base = 0
        """Offset of `text`."""
        self.screens: list[tty.ScreenFrame] = []
        self.resyncs: list[tty.Resync] = []
        self.ended: tty.Ended | None = None
        self.is_closed = False
        self.acknowledges = True
        self.typed = 0

    @property
    def name(self) -> str:
        """The client id."""
        return self.view.client

    @property
    def offset(self) -> int:
        """The next byte that this client needs."""
        return self.base + len(self.text)

    @property
    def welcome(self) -> tty.Welcome:
        """The welcome, which has been read."""
        return next(event for event in self.events if isinstance(event, tty.Welcome))

    def told(self, kind: type[tty.ServerEvent]) -> list[tty.ServerEvent]:
        """Return the events of a kind that have been read."""
        return [event for event in self.events if isinstance(event, kind)]

    async def read(self) -> tty.ServerEvent | None:
        """Read one event, as it comes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.take(await self.view.next())

    async def take(self, event: tty.ServerEvent | None) -> tty.ServerEvent | None:
        """Do with an event what a terminal does."""
        if event is None:
            self.is_closed = True
            return None
        self.events.append(event)
        match event:
            case tty.Welcome():
                self.base, self.text = event.offset, b""
            case tty.OutputFrame(offset, data):
                assert offset == self.offset, f"output at {offset}, needed {self.offset}"
                self.text += data
            case tty.Resync():
                self.resyncs.append(event)
                screen = await self.read()
                assert isinstance(screen, tty.ScreenFrame)
                assert screen.offset == event.offset
                return event
            case tty.ScreenFrame(offset):
                self.screens.append(event)
                self.base, self.text = offset, b""
            case tty.Ended():
                self.ended = event
            case _:
                pass
        if self.acknowledges and isinstance(event, tty.OutputFrame | tty.ScreenFrame):
            self.view.acked(self.offset)
        return event

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read until the condition holds."""
        while not condition():
            assert await self.read() is not None, "the view was closed"

    async def sees(self, data: bytes) -> None:
        """Read until the terminal was written `data`."""
        await self.until(lambda: data in self.text)

    async def is_told(self, kind: type[tty.ServerEvent]) -> tty.ServerEvent:
        """Read until an event of this kind came, and return the last one."""
        await self.until(lambda: bool(self.told(kind)))
        return self.told(kind)[-1]

    async def sees_the_end(self) -> tty.Ended:
        """Read everything, to the end of the session and the close of the view."""
        while not self.is_closed:
            await self.read()
        assert self.ended is not None
        return self.ended

    async def reads_what_is_there(self) -> None:
        """Read until nothing more comes for now."""
        with suppress(TimeoutError):
            while not self.is_closed:
                async with asyncio.timeout(0.001):
                    event = await self.view.next()
                await self.take(event)

    def types(self, data: bytes) -> None:
        """Type."""
        self.session.type(self.view, self.typed, data)
        self.typed += len(data)

    def leaves(self) -> None:
        """Lose the socket."""
        self.session.leave(self.view)


class World:
    """A SessionHost with everything around it faked."""

    def __init__(
        self, session_limits: Limits | None = None, *, screens: Screens | None = None
    ) -> None:
        self.cluster = FakeCluster()
        self.screens = FakeScreens()
        self.effort = FakeEffort()
        self.reaper = FakeReaper()
        self.ledger = FakeLedger()
        self.sentinel = FakeSentinel()
        self.host = SessionHost(
            backend=self.cluster,
            reaper=self.reaper,
            ledger=self.ledger,
            sentinel=self.sentinel,
            screens=screens or self.screens,
            effort=self.effort,
            session_limits=session_limits or Limits(),
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self.running = tasks.create_task(self.host.run())
        self._stack.callback(self.host.close)
        await self.host.running.wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, traceback)

    def open(self, size: Size = SIZE, *, spec: SessionSpec | None = None) -> LiveSession:
        """Open a session."""
        return self.host.open(spec or exec_spec(), size)

    def join(
        self,
        session: LiveSession,
        name: str = "client-one",
        *,
        size: Size | None = None,
        offset: int | None = None,
        holder: Holder = ALICE,
        may_own: bool = True,
    ) -> Client:
        """Join a session with a new view."""
        client = Client(View(session, name, holder, may_own))
        session.join(client.view, size or session.size, offset)
        return client

    async def ended(self, session: LiveSession) -> tuple[Ending, Reaped | None]:
        """Return how a session ended, as soon as that is in the ledger."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while session.spec.id not in self.ledger.endings:
                await asyncio.sleep(0.01)
        return self.ledger.endings[session.spec.id]


def exec_spec(shell: Shell = Shell.AUTO, command: tuple[str, ...] = ()) -> SessionSpec:
    """Return a session that starts a shell."""
    return SessionSpec(
        id=uuid4(),
        target=TARGET,
        identity=IDENTITY,
        kind=Kind.EXEC,
        launch=Launch(shell, command),
        marker="marker-1",
        pod=POD,
        holder=ALICE,
    )


def attach_spec(pod: PodFacts = POD) -> SessionSpec:
    """Return a session that joins the main process."""
    return replace(exec_spec(), kind=Kind.ATTACH, launch=None, pod=pod)
