"""What the targets app needs of Kubernetes, in its own words. `config.backends` provides it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from protocol.identity import Identity
from protocol.reason import Reason
from protocol.target import Target


class Workload(Protocol):
    """What made a pod."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...


class Container(Protocol):
    """A container as the tree shows it."""

    @property
    def name(self) -> str: ...

    @property
    def image(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def ready(self) -> bool: ...

    @property
    def restarts(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def exit_code(self) -> int | None: ...

    @property
    def started(self) -> str | None: ...

    @property
    def tty(self) -> bool: ...

    @property
    def stdin(self) -> bool: ...


class Pod(Protocol):
    """A pod as the tree shows it."""

    @property
    def uid(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def node(self) -> str: ...

    @property
    def phase(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def ready(self) -> int: ...

    @property
    def total(self) -> int: ...

    @property
    def restarts(self) -> int: ...

    @property
    def created(self) -> str: ...

    @property
    def labels(self) -> Mapping[str, str]: ...

    @property
    def workload(self) -> Workload | None: ...

    @property
    def containers(self) -> Sequence[Container]: ...


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a cluster is doing, and in which namespaces pods may be seen."""

    state: str
    """`connecting`, `live`, `reconnecting` or `failed`."""
    message: str
    namespaces: tuple[str, ...]
    because: Reason | None = None
    """What the message says, for a translation."""


@dataclass(frozen=True, slots=True)
class PodsChanged:
    """New or changed pods; with `reset` these are all of them."""

    pods: Sequence[Pod]
    reset: bool = False


@dataclass(frozen=True, slots=True)
class PodsGone:
    """Pods that are no more, by uid."""

    uids: tuple[str, ...]


FeedEvent = FeedState | PodsChanged | PodsGone


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """A cluster as it is listed."""

    name: str
    identity: str
    """`service-account` or `impersonate`."""
    server_version: str | None
    """None while the cluster does not answer."""


class Directory(Protocol):
    """What exists in the clusters, live."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all clusters. Does not ask them."""
        ...

    async def describe(self, name: str) -> ClusterInfo:
        """Return what is listed of a cluster, within a few seconds."""
        ...

    def watch(
        self, cluster: str, identity: Identity, is_visible: Callable[[str], bool]
    ) -> AbstractAsyncContextManager[AsyncIterator[FeedEvent]]:
        """Watch the pods of a cluster in the namespaces that `is_visible` lets through.

        The iterator begins with a FeedState and never ends by itself; a slow reader is told the
        newest state of each pod. Raises StreamRefused for an unknown cluster.
        """
        ...


class DebugContainers(Protocol):
    """Adds debug containers to pods."""

    async def start(self, target: Target, identity: Identity, *, image: str) -> str:
        """Start one that looks at `target`; return its name once it runs. Raises StreamRefused."""
        ...


class PodReader(Protocol):
    """Reads one pod."""

    async def labels(self, target: Target, identity: Identity) -> Mapping[str, str]:
        """Return the labels of the target's pod. Raises StreamRefused if it is not there."""
        ...
