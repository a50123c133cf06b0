"""What the session core needs from the world, in its own words."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from protocol.execution import ExecRequest, ExecResult, Output, PodFacts
from protocol.identity import Identity
from protocol.size import Size
from protocol.target import Target


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
