"""What an exec or attach stream asks for, brings, and how it ended.

These values are the language between the session core and whatever runs commands for it. A
result never calls a lost connection a success: see `Lost` and `Success.confirmed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from protocol.identity import Identity
from protocol.reason import Reason
from protocol.size import Size
from protocol.target import Target


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """Start a process in a container, or join its main process when `command` is None."""

    target: Target
    identity: Identity
    command: tuple[str, ...] | None
    tty: bool = True
    stdin: bool = True
    size: Size | None = None
    """Sent as the first resize, as soon as the stream is open."""


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the process wrote. With a tty there is no stderr."""

    data: bytes
    stderr: bool = False


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended with this exit code (0 to 255)."""

    code: int


@dataclass(frozen=True, slots=True)
class Success:
    """The server said Success. On v5 a lost runtime looks the same, so it is unconfirmed there."""

    confirmed: bool


class StartFailure(StrEnum):
    """Why a process could not be started, although the request was accepted."""

    NO_SHELL = "no_shell"
    """The command's executable is not in the container (or is not executable)."""
    CONTAINER_NOT_RUNNING = "container_not_running"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The runtime could not start the process."""

    kind: StartFailure
    message: str


class Refusal(StrEnum):
    """Why a cluster refused to open a stream."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    POD_NOT_FOUND = "pod_not_found"
    CONTAINER_NOT_FOUND = "container_not_found"
    CONTAINER_NOT_RUNNING = "container_not_running"
    NOT_SCHEDULED = "not_scheduled"
    SUBPROTOCOL = "subprotocol"
    NODE_UNREACHABLE = "node_unreachable"
    CLUSTER_UNREACHABLE = "cluster_unreachable"
    UNKNOWN_CLUSTER = "unknown_cluster"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refused:
    """The stream was not opened."""

    kind: Refusal
    message: str
    status: int | None = None
    """The HTTP status, where there was one."""
    because: Reason | None = None
    """More than `kind` says, for a translation; None where that is all."""

    @property
    def reason(self) -> Reason:
        """What to translate."""
        return self.because or Reason.of_refusal(self.kind)


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended without a word about the process."""

    reason: str


ExecResult = Exited | Success | StartFailed | Refused | Lost


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What a session needs to know of the pod behind its target, read when it is authorised."""

    uid: str
    node: str
    phase: str
    container_id: str
    container_running: bool
    labels: dict[str, str] = field(default_factory=dict)
    container_tty: bool = False
    container_stdin: bool = False
    reason: str = ""
    """Why the container does not run (CrashLoopBackOff, OOMKilled, Completed …), if it does not."""
    exit_code: int | None = None
