"""What the session core needs from the world, in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from protocol.execution import ExecRequest, ExecResult, Output, PodFacts
from protocol.identity import Identity
from protocol.size import Size
from protocol.target import Target

if TYPE_CHECKING:
    from terminal.session.ending import Ending
    from terminal.session.live import LiveSession


class ExecStream(Protocol):
    """One open exec or attach stream. One task may receive while another one sends."""

    @property
    def subprotocol(self) -> str:
        """The negotiated name, such as `v5.channel.k8s.io`."""
        ...

    async def receive(self) -> Output | None:
        """Return the next output, or None when the stream has ended.

        Not receiving slows the process down (back-pressure reaches it through TCP). Cancelling
        loses nothing.
        """
        ...

    async def send_stdin(self, data: bytes) -> None:
        """Deliver bytes to the process; returns when the transport has room again.

        A stream that has ended drops them silently: the result says how it ended.
        """
        ...

    async def resize(self, size: Size) -> None:
        """Tell the process's terminal its size. A stream that has ended ignores it."""
        ...

    def result(self) -> ExecResult:
        """Return how the stream ended. Only after `receive` returned None."""
        ...


class ExecBackend(Protocol):
    """Opens exec and attach streams."""

    def open(self, request: ExecRequest) -> AbstractAsyncContextManager[ExecStream]:
        """Open the stream; leaving the context closes the connection within two seconds.

        Entering raises `StreamRefused` (see `protocol.execution.Refused`) when the cluster does
        not open it. A process that cannot be started is no refusal: the stream then ends with
        `StartFailed`.
        """
        ...

    async def inspect(self, target: Target, identity: Identity) -> PodFacts:
        """Read the pod behind the target as `identity`. Raises `StreamRefused`."""
        ...


@dataclass(frozen=True, slots=True)
class Reaped:
    """What ending a session's processes in the container came to."""

    found: int
    """Processes that carried the marker."""
    left: int
    """Those that are still there."""
    leader_alive: bool = False
    """Whether the session's own first process was still running: then a `Success` was a lie."""
    guaranteed: bool = True
    """False where the container has nothing to look with; `note` says why."""
    note: str = ""


class Reaper(Protocol):
    """Ends every process in a container that carries a session's marker."""

    async def reap(
        self, target: Target, identity: Identity, *, uid: str, container_id: str, marker: str
    ) -> Reaped:
        """End them: HUP, TERM, KILL. Never raises for a container that is gone (found 0, left 0)
        nor for a cluster that does not answer (guaranteed False)."""
        ...


class SnapshotLike(Protocol):
    """An exact screen: see `terminal.screen.wire.Snapshot`."""

    @property
    def offset(self) -> int: ...

    @property
    def size(self) -> Size: ...

    @property
    def data(self) -> bytes: ...


class ScreenLike(Protocol):
    """The model of one session's screen: see `terminal.screen.screen.Screen`."""

    @property
    def backlog(self) -> int: ...

    def feed(self, data: bytes) -> None: ...

    def resize(self, size: Size) -> None: ...

    async def drain(self, below: int) -> None: ...

    async def snapshot(self) -> SnapshotLike:
        """Raises TimeoutError or a subclass when the screen is not available now."""
        ...

    def close(self) -> None: ...


class Effort(Protocol):
    """How hard this process presses forward among the others of its machine; returns at once."""

    def answers(self, session: UUID) -> None:
        """Press forward: the owner of this session typed and waits for the echo."""
        ...

    def reads_flood(self, session: UUID) -> None:
        """Step back, if nobody waits: much output of this session is read."""
        ...


class Screens(Protocol):
    """Opens screen models."""

    def open(self, size: Size) -> ScreenLike: ...


class Ledger(Protocol):
    """Where the durable record of a session is kept. Never called on the byte path."""

    async def went_live(self, session: LiveSession) -> None: ...

    async def learned_program(self, session: LiveSession) -> None: ...

    async def ended(self, session: LiveSession, ending: Ending, reaped: Reaped | None) -> None: ...


class Sentinel(Protocol):
    """Says which live sessions must end now, and why."""

    async def verdicts(self, sessions: Sequence[LiveSession]) -> Mapping[UUID, Ending]:
        """Called once a second with all live sessions of this process. Does not raise."""
        ...
