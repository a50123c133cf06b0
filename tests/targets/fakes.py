"""A directory and a cluster's rights that a test scripts: fakes at the ports of `targets`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from access.cluster_rights import Verdict
from protocol.execution import Refusal, Refused
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target
from targets.ports import ClusterInfo, FeedEvent, FeedState, PodsChanged, PodsGone


@dataclass(frozen=True)
class FakeWorkload:
    """What made a pod."""

    kind: str = "Deployment"
    name: str = "web"


@dataclass(frozen=True)
class FakeContainer:
    """A running container, unless told otherwise."""

    name: str = "web"
    image: str = "demo/web:1.4"
    type: str = "main"
    state: str = "running"
    ready: bool = True
    restarts: int = 0
    reason: str = ""
    exit_code: int | None = None
    started: str | None = "2026-11-21T09:00:00Z"
    tty: bool = False
    stdin: bool = False


@dataclass(frozen=True)
class FakePod:
    """A running pod with one container, unless told otherwise."""

    uid: str = "uid-1"
    namespace: str = "shop"
    name: str = "web-1"
    node: str = "demo-1"
    phase: str = "Running"
    status: str = "Running"
    ready: int = 1
    total: int = 1
    restarts: int = 0
    created: str = "2026-11-21T09:00:00Z"
    labels: Mapping[str, str] = field(default_factory=lambda: {"app": "web"})
    workload: FakeWorkload | None = field(default_factory=FakeWorkload)
    containers: tuple[FakeContainer, ...] = (FakeContainer(),)


class FakeDirectory:
    """One cluster named `demo`, whose events the test gives in."""

    def __init__(self) -> None:
        self.watched: list[tuple[str, Identity]] = []
        self.left = 0
        self._queues: list[asyncio.Queue[FeedEvent]] = []
        self._pods: dict[str, FakePod] = {}
        self._state = FeedState("live", "", ("shop", "vault"))
        self.refusal: StreamRefused | None = None

    def names(self) -> tuple[str, ...]:
        """Return the clusters."""
        return ("demo", "prod")

    async def describe(self, name: str) -> ClusterInfo:
        """Describe one."""
        return ClusterInfo(name, "service-account", "v1.35.4" if name == "demo" else None)

    @asynccontextmanager
    async def watch(
        self, cluster: str, identity: Identity, is_visible: Callable[[str], bool]
    ) -> AsyncIterator[AsyncIterator[FeedEvent]]:
        """Begin with the state and all pods, then hand on what the test gives."""
        if self.refusal is not None:
            raise self.refusal
        self.watched.append((cluster, identity))
        queue: asyncio.Queue[FeedEvent] = asyncio.Queue()
        self._queues.append(queue)
        queue.put_nowait(self._state)
        pods = [pod for pod in self._pods.values() if is_visible(pod.namespace)]
        queue.put_nowait(PodsChanged(pods, reset=True))

        async def events() -> AsyncIterator[FeedEvent]:
            while True:
                yield await queue.get()

        try:
            yield events()
        finally:
            self._queues.remove(queue)
            self.left += 1

    def have(self, *pods: FakePod) -> None:
        """Have these pods from the beginning."""
        self._pods.update((pod.uid, pod) for pod in pods)

    def change(self, *pods: FakePod) -> None:
        """Change or add pods now."""
        self.have(*pods)
        for queue in self._queues:
            queue.put_nowait(PodsChanged(pods))

    def remove(self, uid: str) -> None:
        """Remove a pod now."""
        del self._pods[uid]
        for queue in self._queues:
            queue.put_nowait(PodsGone((uid,)))


@dataclass
class FakeRights:
    """A cluster that allows everything but what it is told to deny."""

    denied: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    unreachable: bool = False

    async def may(
        self, target: Target, identity: Identity, action: str, *, fresh: bool = False
    ) -> Verdict:
        """Answer as scripted."""
        self.asked.append((target.namespace, action))
        if self.unreachable:
            raise StreamRefused(Refused(Refusal.CLUSTER_UNREACHABLE, "The cluster is away."))
        reason = self.denied.get((target.namespace, action), "")
        return Verdict(not reason, reason)


@dataclass
class FakePods:
    """Reads the labels of every pod as the same."""

    found: Mapping[str, str] = field(default_factory=lambda: {"app": "web"})
    asked: int = 0

    async def labels(self, target: Target, identity: Identity) -> Mapping[str, str]:
        """Return the labels."""
        self.asked += 1
        return self.found


@dataclass
class FakeDebug:
    """Starts debug containers at once."""

    started: list[tuple[Target, Identity, str]] = field(default_factory=list)

    async def start(self, target: Target, identity: Identity, *, image: str) -> str:
        """Note what was asked for."""
        self.started.append((target, identity, image))
        return "hatchway-debug-00ff00ff"
