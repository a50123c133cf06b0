"""What the session core talks to, scripted: a cluster, a screen model, a record, a guard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from protocol.execution import (
    ExecRequest,
    ExecResult,
    Exited,
    Output,
    PodFacts,
    Refusal,
    Refused,
)
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.size import Size
from protocol.target import Target
from terminal.session.ending import Ending
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped
from terminal.session.spec import Holder

TARGET = Target("demo", "shop", "web-0", "web")
IDENTITY = Identity("alice")
POD = PodFacts(
    uid="pod-1",
    node="node-1",
    phase="Running",
    container_id="containerd://1",
    container_running=True,
    container_stdin=True,
)
ALICE = Holder(1, "alice", "login-1", "hash-1", "192.0.2.1")
BOB = Holder(2, "bob", "login-2", "hash-2", "192.0.2.2")
SIZE = Size(80, 24)
PROMPT = b"$ "
FLOOD_BYTES_PER_SECOND = 50e6
DEADLINE_SECONDS = 60.0
"""How long a test waits for anything, in the loop's own time."""


class FakeStream:
    """One stream of the fake cluster: what it writes is scripted, what it is given is kept."""

    subprotocol = "v5.channel.k8s.io"

    def __init__(self, request: ExecRequest) -> None:
        self.request = request
        self.stdin = bytearray()
        self.sizes: list[tuple[float, Size]] = []
        self.written = 0
        """Bytes that were written, floods not counted."""
        self.taken = 0
        """Bytes of output that the session has received."""
        self.on_input: Callable[[bytes], None] = lambda data: None
        self.takes_input = asyncio.Event()
        self.takes_input.set()
        self.is_closed = False
        self.close_error: Exception | None = None
        self._pieces: deque[bytes] = deque()
        self._flood: bytes = b""
        self._result: ExecResult | None = None
        self._wake = asyncio.Event()

    def writes(self, data: bytes, piece: int = 4096) -> None:
        """Let the process write `data`, in pieces as a terminal would."""
        for start in range(0, len(data), piece):
            self._pieces.append(data[start : start + piece])
        self.written += len(data)
        self._wake.set()

    def floods(self, piece: bytes) -> None:
        """Let the process write `piece` again and again, at 50 MB/s; b"" stops it."""
        self._flood = piece
        self._wake.set()

    def ends(self, result: ExecResult) -> None:
        """Let the stream end after what was written."""
        self._result = result
        self._wake.set()

    async def receive(self) -> Output | None:
        """Return what the process wrote next."""
        while not self._pieces and not self._flood:
            if self._result is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        if self._pieces:
            data = self._pieces.popleft()
        else:
            data = self._flood
            await asyncio.sleep(len(data) / FLOOD_BYTES_PER_SECOND)
        self.taken += len(data)
        return Output(data)

    async def send_stdin(self, data: bytes) -> None:
        """Take input, if the process takes any now."""
        await self.takes_input.wait()
        if self._result is None:
            self.stdin += data
            self.on_input(data)

    async def resize(self, size: Size) -> None:
        """Note the size and when it came."""
        self.sizes.append((asyncio.get_running_loop().time(), size))

    def result(self) -> ExecResult:
        """Return how the stream ended."""
        assert self._result is not None
        return self._result


def echo_shell(stream: FakeStream) -> None:
    """Prompt, echo every byte, end at `exit`, stop a flood and prompt again at Ctrl-C."""
    stream.writes(PROMPT)

    def on_input(data: bytes) -> None:
        if b"\x03" in data:
            stream.floods(b"")
            stream.writes(b"^C\r\n" + PROMPT)
            return
        stream.writes(data.replace(b"\r", b"\r\n" + PROMPT))
        if stream.stdin.endswith(b"exit\r"):
            stream.ends(Exited(0))

    stream.on_input = on_input


def silent(stream: FakeStream) -> None:
    """Write nothing at all."""


Script = Callable[[FakeStream], None]


class FakeCluster:
    """An ExecBackend whose streams play scripts; without one they are echo shells."""

    def __init__(self) -> None:
        self._plan: deque[Script | Refused | Exception] = deque([echo_shell])
        self.streams: list[FakeStream] = []
        self.requests: list[ExecRequest] = []
        self.pod = POD
        self.inspection: Refused | None = None
        """What reading the pod is refused with."""
        self.answers = asyncio.Event()
        self.answers.set()
        self.answers_about_pods = asyncio.Event()
        self.answers_about_pods.set()
        self.inspections = 0
        self._changed = asyncio.Event()

    @property
    def open_streams(self) -> int:
        """How many streams have not been closed."""
        return sum(1 for stream in self.streams if not stream.is_closed)

    def plays(self, *scripts: Script | Refused | Exception) -> None:
        """Let the next streams play these, and the last of them all that come later."""
        self._plan = deque(scripts)

    def open(self, request: ExecRequest) -> AbstractAsyncContextManager[FakeStream]:
        """Open a stream as planned."""
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: ExecRequest) -> AsyncIterator[FakeStream]:
        self.requests.append(request)
        self._changed.set()
        await self.answers.wait()
        planned = self._plan.popleft() if len(self._plan) > 1 else self._plan[0]
        if isinstance(planned, Refused):
            raise StreamRefused(planned)
        if isinstance(planned, Exception):
            raise planned
        stream = FakeStream(request)
        planned(stream)
        self.streams.append(stream)
        self._changed.set()
        try:
            yield stream
        finally:
            await asyncio.sleep(0.01)
            stream.is_closed = True
            if stream.close_error is not None:
                raise stream.close_error

    async def inspect(self, target: Target, identity: Identity) -> PodFacts:
        """Return the pod as it is now."""
        self.inspections += 1
        await self.answers_about_pods.wait()
        if self.inspection is not None:
            raise StreamRefused(self.inspection)
        return self.pod

    def loses_the_pod(self) -> None:
        """Delete the pod."""
        self.inspection = Refused(Refusal.POD_NOT_FOUND, "The pod does not exist.", 404)

    def restarts_the_container(self, reason: str = "", exit_code: int | None = None) -> None:
        """Let the container be another one from now on."""
        self.pod = replace(
            self.pod, container_id="containerd://2", reason=reason, exit_code=exit_code
        )

    async def stream(self, number: int = 0) -> FakeStream:
        """Return a stream by number as soon as it is open."""
        await self._until(lambda: len(self.streams) > number)
        return self.streams[number]

    async def asked(self, count: int = 1) -> None:
        """Return when a stream was asked for this often."""
        await self._until(lambda: len(self.requests) >= count)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@dataclass(frozen=True, slots=True)
class FakeSnapshot:
    """A screen that only names its offset."""

    offset: int
    size: Size
    data: bytes


class FakeScreen:
    """A screen model that consumes at once, or not at all while it is held."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.fed = 0
        self.consumed = 0
        self.is_held = False
        self.is_available = True
        self.is_closed = False
        self.snapshots = 0
        self.most_backlog = 0
        self._moved = asyncio.Event()

    @property
    def backlog(self) -> int:
        """Bytes fed and not consumed."""
        return self.fed - self.consumed

    def feed(self, data: bytes) -> None:
        """Take output."""
        self.fed += len(data)
        if not self.is_held:
            self.consume(self.backlog)
        self.most_backlog = max(self.most_backlog, self.backlog)

    def consume(self, count: int) -> None:
        """Catch up by `count` bytes."""
        self.consumed += count
        self._moved.set()

    def resize(self, size: Size) -> None:
        """Change the size."""
        self.size = size

    async def drain(self, below: int) -> None:
        """Return when the backlog is at most `below`."""
        while self.backlog > below:
            self._moved.clear()
            await self._moved.wait()

    async def snapshot(self) -> FakeSnapshot:
        """Return the screen as far as it was consumed."""
        self.snapshots += 1
        await asyncio.sleep(0)
        if not self.is_available:
            raise TimeoutError
        return FakeSnapshot(self.consumed, self.size, b"screen@%d" % self.consumed)

    def close(self) -> None:
        """Forget it."""
        self.is_closed = True


class FakeScreens:
    """Opens fake screens."""

    def __init__(self) -> None:
        self.screens: list[FakeScreen] = []

    def open(self, size: Size) -> FakeScreen:
        """Open one."""
        self.screens.append(FakeScreen(size))
        return self.screens[-1]


class FakeEffort:
    """Remembers who was answered and whose flood was read, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, UUID]] = []

    def answers(self, session: UUID) -> None:
        """Somebody typed."""
        self.calls.append(("answers", session))

    def reads_flood(self, session: UUID) -> None:
        """Much output came."""
        self.calls.append(("reads flood", session))


@dataclass
class FakeReaper:
    """Ends nothing, and remembers what it was asked to end."""

    answer: Reaped = field(default_factory=lambda: Reaped(1, 0))
    error: Exception | None = None
    is_stuck: bool = False
    markers: list[str] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)
    """Pod and container that were searched."""

    async def reap(
        self, target: Target, identity: Identity, *, uid: str, container_id: str, marker: str
    ) -> Reaped:
        """Answer as scripted."""
        self.markers.append(marker)
        self.places.append((uid, container_id))
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.answer


@dataclass
class FakeLedger:
    """Remembers what was entered, in order."""

    error: Exception | None = None
    is_stuck: bool = False
    entries: list[tuple[str, UUID]] = field(default_factory=list)
    endings: dict[UUID, tuple[Ending, Reaped | None]] = field(default_factory=dict)

    async def went_live(self, session: LiveSession) -> None:
        """Note that a session is live."""
        await self._enter("live", session)

    async def learned_program(self, session: LiveSession) -> None:
        """Note that a session knows its shell."""
        await self._enter(f"runs {session.program}", session)

    async def ended(self, session: LiveSession, ending: Ending, reaped: Reaped | None) -> None:
        """Note how a session ended."""
        self.endings[session.spec.id] = (ending, reaped)
        await self._enter("ended", session)

    async def _enter(self, what: str, session: LiveSession) -> None:
        self.entries.append((what, session.spec.id))
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


@dataclass
class FakeSentinel:
    """Passes the verdicts that were scripted."""

    endings: dict[UUID, Ending] = field(default_factory=dict)
    error: Exception | None = None
    rounds: int = 0

    async def verdicts(self, sessions: Sequence[LiveSession]) -> Mapping[UUID, Ending]:
        """Return the endings of the sessions that must end."""
        self.rounds += 1
        if self.error is not None:
            raise self.error
        return self.endings
