"""One cluster on one person's socket: from the directory's events to messages.

The directory tells a slow reader the newest state of each pod and nothing in between, so reading
it at most every PERIOD_SECONDS is what keeps a pod at two changes a second, and nothing is queued
here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

from access.actions import Action
from access.cluster_rights import ClusterRights, Verdict
from access.policy import Rights as Grants
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused
from protocol.target import Target
from targets import wire
from targets.ports import Directory, FeedState, Pod, PodsChanged, PodsGone
from targets.tree import ACTIONS, PodMessage, describe_pod, namespaces_of

PERIOD_SECONDS = 0.5
"""Between two looks at what changed: a pod changes at most twice a second."""
REVIEW_SECONDS = 30.0
"""How old the cluster's word on what the person may do can get."""

_TURN = 20
"""Pods that are described before others get their turn: about 3 ms."""

Send = Callable[[str], Awaitable[None]]


class ClusterFeed:
    """Sends one cluster's pods until it is cancelled."""

    def __init__(
        self,
        cluster: str,
        *,
        identity: Identity,
        grants: Grants,
        directory: Directory,
        rights: ClusterRights,
        send: Send,
        period: float = PERIOD_SECONDS,
        review_period: float = REVIEW_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._identity = identity
        self._grants = grants
        self._directory = directory
        self._rights = rights
        self._send = send
        self._period = period
        self._review_period = review_period
        self._pods: dict[str, Pod] = {}
        self._sent: dict[str, int] = {}
        self._verdicts: dict[tuple[str, Action], Verdict] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Follow the cluster. Returns at once, with a message, where there is nothing to see."""
        if self._cluster not in self._directory.names() or not self._grants.sees_cluster(
            self._cluster
        ):
            hidden = Reason(ReasonCode.NO_SUCH_CLUSTER)
            await self._fail(str(hidden), hidden)
            return
        try:
            async with (
                self._directory.watch(self._cluster, self._identity, self._sees) as events,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(self._review_again())
                async for event in events:
                    async with self._turn:
                        match event:
                            case FeedState():
                                await self._tell_state(event)
                                continue
                            case PodsGone(uids):
                                await self._remove(uids)
                                continue
                            case PodsChanged(pods, reset):
                                await self._change(pods, reset=reset)
                    await asyncio.sleep(self._period)
        except* StreamRefused as refused:
            first = _first_of(refused)
            await self._fail(first.message, first.refused.reason)

    def _sees(self, namespace: str) -> bool:
        return self._grants.sees_namespace(self._cluster, namespace)

    async def _fail(self, message: str, because: Reason) -> None:
        await self._tell_state(FeedState("failed", message, (), because))

    async def _tell_state(self, event: FeedState) -> None:
        seen = [name for name in event.namespaces if self._sees(name)]
        text = wire.cluster_state(self._cluster, event.state, event.message, seen, event.because)
        await self._send(text)

    async def _change(self, pods: Iterable[Pod], *, reset: bool) -> None:
        pods = list(pods)
        if reset:
            self._pods.clear()
            self._sent.clear()
        await self._review(namespaces_of(pods))
        self._pods.update((pod.uid, pod) for pod in pods)
        await self._tell(pods, reset=reset)

    async def _remove(self, uids: Iterable[str]) -> None:
        known = [uid for uid in uids if self._pods.pop(uid, None) and uid in self._sent]
        for uid in known:
            del self._sent[uid]
        if known:
            await self._send(wire.gone(self._cluster, known))

    async def _tell(self, pods: Iterable[Pod], *, reset: bool = False) -> None:
        """Send those pods that look different from what was sent last."""
        changed: list[PodMessage] = []
        hidden: list[str] = []
        for number, pod in enumerate(pods):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            message = describe_pod(self._cluster, pod, rights=self._grants, verdicts=self._verdicts)
            if message is None:
                if self._sent.pop(pod.uid, None) is not None:
                    hidden.append(pod.uid)
                continue
            look = hash(json.dumps(message, sort_keys=True))
            if self._sent.get(pod.uid) != look:
                self._sent[pod.uid] = look
                changed.append(message)
        for text in wire.pods(self._cluster, changed, reset=reset):
            await self._send(text)
        if hidden:
            await self._send(wire.gone(self._cluster, hidden))

    async def _review(self, namespaces: Iterable[str]) -> None:
        """Ask the cluster once for each new namespace what the person may do in its pods."""
        for namespace in namespaces:
            for action in ACTIONS:
                if (namespace, action) not in self._verdicts and self._sees(namespace):
                    self._verdicts[namespace, action] = await self._ask(namespace, action)

    async def _ask(self, namespace: str, action: Action) -> Verdict:
        anywhere = Target(self._cluster, namespace, "", "")
        try:
            return await self._rights.may(anywhere, self._identity, action.value)
        except StreamRefused as refused:
            return Verdict(False, refused.message, refused.refused.reason)

    async def _review_again(self) -> None:
        while True:
            await asyncio.sleep(self._review_period)
            async with self._turn:
                known = namespaces_of(self._pods.values())
                self._verdicts.clear()
                await self._review(known)
                await self._tell(list(self._pods.values()))


def _first_of(group: BaseExceptionGroup[StreamRefused]) -> StreamRefused:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
