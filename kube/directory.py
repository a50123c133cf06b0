"""What exists: the pods of a cluster as one person may see them, live.

For each cluster and effective identity there is one `_View`, shared by everybody who watches it
and kept for LINGER_SECONDS after the last one has left. It plans its scopes (the whole cluster
where that may be listed, else each namespace where it may be), follows each scope with one list
and one watch, and tells its subscriptions which pods changed.

A subscription holds no queue, only the names of what its reader has not been told yet: a slow
reader is given the newest state of each pod, never more than there are pods.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from kube.backoff import Backoff, jittered
from kube.clusters import Clusters
from kube.connection import ClusterConnection, IdentityMode
from kube.errors import ApiRefused, KubeError, refused
from kube.feed import LIST_LIMIT, PodFeed, Scope
from kube.pods import PodView
from kube.reviews import AccessReviews, Allowed
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused

logger = logging.getLogger(__name__)

LINGER_SECONDS = 30.0
"""A view outlives its last reader this long: a reloaded page finds it warm."""

PLAN_SECONDS = 60.0
"""How often it is asked again what may be listed, and which namespaces there are."""

REVIEWS_AT_ONCE = 8
"""Access reviews that one plan asks at the same time."""


class FeedState(StrEnum):
    """How far the picture of a cluster can be trusted."""

    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The cluster's state, why, and the namespaces in which pods may be seen."""

    state: FeedState
    message: str
    namespaces: tuple[str, ...]
    because: Reason | None = None
    """What the message says, for a translation."""


@dataclass(frozen=True, slots=True)
class PodsChanged:
    """New or changed pods; with `reset` these are all and others are to be forgotten."""

    reset: bool
    pods: tuple[PodView, ...]


@dataclass(frozen=True, slots=True)
class PodsGone:
    """Pods that are gone, by uid."""

    uids: tuple[str, ...]


DirectoryEvent = StateChanged | PodsChanged | PodsGone


class ClusterDirectory:
    """The live tree's source. An async context manager that owns every list and watch."""

    def __init__(
        self, clusters: Clusters, reviews: AccessReviews, *, linger: float = LINGER_SECONDS
    ) -> None:
        self._clusters = clusters
        self._reviews = reviews
        self._linger = linger
        self._views: dict[tuple[str, Identity | None], _View] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._tasks is not None
        tasks, self._tasks = self._tasks, None
        for view in list(self._views.values()):
            view.stop()
        await tasks.__aexit__(None, None, None)

    @asynccontextmanager
    async def watch(
        self,
        cluster: str,
        identity: Identity,
        is_visible: Callable[[str], bool] = lambda namespace: True,
    ) -> AsyncIterator[AsyncIterator[DirectoryEvent]]:
        """Watch a cluster's pods as `identity`, in the namespaces that `is_visible` lets through.

        The iterator begins with a StateChanged and, once the pods are known, a PodsChanged with
        `reset`; it never ends by itself. Raises StreamRefused for an unknown cluster; every
        later trouble is a state.
        """
        if self._tasks is None:
            raise RuntimeError("The directory is not open.")
        connection = self._clusters.connection(cluster)
        impersonates = connection.config.identity_mode is IdentityMode.IMPERSONATE
        key = (cluster, identity if impersonates else None)
        view = self._views.get(key)
        if view is None:
            view = _View(
                connection,
                identity,
                self._reviews,
                self._linger,
                lambda: self._views.pop(key, None),
            )
            self._views[key] = view
            self._tasks.create_task(self._run(view))
        subscription = view.subscribe(is_visible)
        try:
            yield subscription
        finally:
            view.unsubscribe(subscription)

    async def _run(self, view: _View) -> None:
        try:
            await view.run()
        except Exception:
            logger.exception("watching a cluster failed")
            view.stop()
            view.set_failed(Reason(ReasonCode.WATCH_FAILED))


class Subscription:
    """What one reader has not been told yet."""

    def __init__(self, view: _View, is_visible: Callable[[str], bool]) -> None:
        self._view = view
        self._is_visible = is_visible
        self._wake = asyncio.Event()
        self._wake.set()
        self._has_state = True
        self._reset = True
        self._changed: set[str] = set()
        self._known: set[str] = set()
        self._gone: set[str] = set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DirectoryEvent:
        """Return what comes next: a state before pods, what is gone before what changed."""
        while True:
            if self._has_state:
                self._has_state = False
                return self._state()
            if self._view.is_synced and self._reset:
                return self._everything()
            if self._gone:
                gone, self._gone = tuple(self._gone), set()
                self._known.difference_update(gone)
                return PodsGone(gone)
            if self._changed and not self._reset:
                pods = self._take(self._changed)
                self._changed = set()
                if pods:
                    return PodsChanged(False, pods)
            self._wake.clear()
            await self._wake.wait()

    def note_state(self) -> None:
        """Remember that the view's state changed."""
        self._has_state = True
        self._wake.set()

    def note_pods(self, changed: Iterable[str], gone: Iterable[str]) -> None:
        """Remember which pods changed or went."""
        self._changed.update(changed)
        for uid in gone:
            self._changed.discard(uid)
            if uid in self._known:
                self._gone.add(uid)
        self._wake.set()

    def _state(self) -> StateChanged:
        view = self._view
        visible = tuple(name for name in view.namespaces if self._is_visible(name))
        return StateChanged(view.state, view.message, visible, view.because)

    def _everything(self) -> PodsChanged:
        self._reset = False
        self._changed.clear()
        self._gone.clear()
        self._known.clear()
        return PodsChanged(True, self._take(self._view.pods))

    def _take(self, uids: Iterable[str]) -> tuple[PodView, ...]:
        found = (self._view.pods.get(uid) for uid in uids)
        pods = tuple(pod for pod in found if pod and self._is_visible(pod.namespace))
        self._known.update(pod.uid for pod in pods)
        return pods


class _View:
    """One cluster as one identity sees it."""

    def __init__(
        self,
        connection: ClusterConnection,
        identity: Identity,
        reviews: AccessReviews,
        linger: float,
        forget: Callable[[], object],
    ) -> None:
        self._forget = forget
        self._connection = connection
        self._identity = identity
        self._reviews = reviews
        self._linger = linger
        self._feeds: dict[Scope, PodFeed] = {}
        self._following: dict[Scope, asyncio.Task[None]] = {}
        self._subscriptions: set[Subscription] = set()
        self._stopped = asyncio.Event()
        self._plan_now = asyncio.Event()
        self._leaving: asyncio.TimerHandle | None = None
        self.pods: dict[str, PodView] = {}
        self.namespaces: tuple[str, ...] = ()
        self.state = FeedState.CONNECTING
        self.message = ""
        self.because: Reason | None = None
        self.is_synced = False

    def subscribe(self, is_visible: Callable[[str], bool]) -> Subscription:
        """Add a reader."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        subscription = Subscription(self, is_visible)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a reader; without readers the view stops after a while."""
        self._subscriptions.discard(subscription)
        if not self._subscriptions and self._leaving is None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(self._linger, self.stop)

    def stop(self) -> None:
        """End `run`; whoever comes later starts another view."""
        if self._leaving is not None:
            self._leaving.cancel()
        self._forget()
        self._stopped.set()

    async def run(self) -> None:
        """Plan and follow until stopped."""
        async with asyncio.TaskGroup() as tasks:
            planning = tasks.create_task(self._keep_planning(tasks))
            await self._stopped.wait()
            planning.cancel()
            for task in self._following.values():
                task.cancel()

    def set_failed(self, because: Reason) -> None:
        """Say that this view will not go on."""
        self._set_state(FeedState.FAILED, str(because), because)

    def update(self) -> None:
        """Work out the state from those of the feeds and tell the readers."""
        feeds = self._feeds.values()
        if not self.is_synced and all(feed.is_synced for feed in feeds):
            self.is_synced = True
        troubled = next((feed for feed in feeds if feed.trouble), None)
        if troubled is not None:
            state = FeedState.RECONNECTING if self.is_synced else FeedState.CONNECTING
            self._set_state(state, troubled.trouble, troubled.because)
        elif self.is_synced:
            nothing = None if feeds else Reason(ReasonCode.NO_NAMESPACES)
            self._set_state(FeedState.LIVE, str(nothing or ""), nothing)
        for subscription in self._subscriptions:
            subscription.note_pods((), ())

    def change(self, pods: Iterable[PodView], gone: Iterable[str]) -> None:
        """Take new pods in and forget others."""
        changed = [pod for pod in pods if self.pods.get(pod.uid) != pod]
        self.pods.update((pod.uid, pod) for pod in changed)
        lost = [uid for uid in gone if self.pods.pop(uid, None) is not None]
        if not changed and not lost:
            return
        uids = [pod.uid for pod in changed]
        for subscription in self._subscriptions:
            subscription.note_pods(uids, lost)

    def replan(self) -> None:
        """Plan again soon: a scope turned out to be forbidden."""
        self._plan_now.set()

    async def _keep_planning(self, tasks: asyncio.TaskGroup) -> None:
        backoff = Backoff()
        is_fresh = False
        while True:
            try:
                scopes, namespaces = await self._plan(fresh=is_fresh)
            except StreamRefused as error:
                if self._feeds:
                    logger.info("%s: planning failed: %s", self._connection.name, error)
                else:
                    self._set_state(FeedState.FAILED, error.message, error.refused.reason)
                pause = backoff.seconds()
            else:
                self._apply(tasks, scopes, namespaces)
                backoff.reset()
                pause = jittered(PLAN_SECONDS)
            self._plan_now.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._plan_now.wait()
                await backoff.pause()
            except TimeoutError:
                pass  # It is time for the next plan.
            is_fresh = True

    async def _plan(self, *, fresh: bool) -> tuple[set[Scope], tuple[str, ...]]:
        names = await self._namespaces()
        everywhere = await self._may_list("", fresh=fresh)
        if everywhere:
            return {None}, names
        turns = asyncio.Semaphore(REVIEWS_AT_ONCE)

        async def review(name: str) -> bool:
            async with turns:
                return await self._may_list(name, fresh=fresh)

        answers = await asyncio.gather(*(review(name) for name in names))
        allowed = tuple(name for name, may in zip(names, answers, strict=True) if may)
        return set(allowed), allowed

    async def _may_list(self, namespace: str, *, fresh: bool) -> bool:
        answer = await self._reviews.may(
            self._connection.name, self._identity, namespace, "list", "pods", fresh=fresh
        )
        return isinstance(answer, Allowed)

    async def _namespaces(self) -> tuple[str, ...]:
        """List the namespaces as the person, else as Hatchway; their names are no secret to us,
        and each is shown only when the person may list pods in it."""
        for identity in (self._identity, None):
            try:
                return tuple([name async for name in self._list_namespaces(identity)])
            except ApiRefused as error:
                if error.status != 403:
                    raise refused(error) from error
            except KubeError as error:
                raise refused(error) from error
        return ()

    async def _list_namespaces(self, identity: Identity | None) -> AsyncIterator[str]:
        token = ""
        while True:
            query = [("limit", str(LIST_LIMIT))] + ([("continue", token)] if token else [])
            page = await self._connection.call(
                "GET", "/api/v1/namespaces", identity=identity, query=query
            )
            for item in page.get("items") or []:
                yield str(item["metadata"]["name"])
            token = str((page.get("metadata") or {}).get("continue") or "")
            if not token:
                return

    def _apply(
        self, tasks: asyncio.TaskGroup, scopes: set[Scope], namespaces: tuple[str, ...]
    ) -> None:
        for scope in self._feeds.keys() - scopes:
            self._following.pop(scope).cancel()
            feed = self._feeds.pop(scope)
            if None not in scopes:
                # A pod of a namespace that is still followed stays, whoever follows it now.
                self.change((), self._outside(feed.uids, scopes))
        for scope in scopes - self._feeds.keys():
            feed = PodFeed(self, self._connection, self._identity, scope)
            feed.uids = {
                uid for uid, pod in self.pods.items() if scope is None or pod.namespace == scope
            }
            self._feeds[scope] = feed
            self._following[scope] = tasks.create_task(feed.run())
        if namespaces != self.namespaces:
            self.namespaces = namespaces
            for subscription in self._subscriptions:
                subscription.note_state()
        self.update()

    def _outside(self, uids: Iterable[str], scopes: set[Scope]) -> set[str]:
        known = ((uid, self.pods.get(uid)) for uid in uids)
        return {uid for uid, pod in known if pod is not None and pod.namespace not in scopes}

    def _set_state(self, state: FeedState, message: str, because: Reason | None) -> None:
        if (state, message) == (self.state, self.message):
            return
        self.state, self.message, self.because = state, message, because
        for subscription in self._subscriptions:
            subscription.note_state()
