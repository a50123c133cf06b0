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
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import orjson

from kube.clusters import Clusters
from kube.connection import ClusterConnection, IdentityMode, api_path
from kube.errors import ApiRefused, KubeError, Unreachable, refused
from kube.pods import PodView, pod_view
from kube.reviews import AccessReviews, Allowed
from protocol.identity import Identity
from protocol.refusal import StreamRefused

logger = logging.getLogger(__name__)

LINGER_SECONDS = 30.0
"""A view outlives its last reader this long: a reloaded page finds it warm."""

PLAN_SECONDS = 60.0
"""How often it is asked again what may be listed, and which namespaces there are."""

WATCH_SECONDS = 270
"""How long the server keeps one watch (kubectl's is 5 to 10 minutes)."""

LIST_LIMIT = 500
"""Pods in one page of a list, about 1 MiB."""

BACKOFF_SECONDS = (0.5, 30.0)
"""The first and the longest wait before another try; each wait is 0.5 to 1 times that."""

SHORT_WATCH_SECONDS = 5.0
"""A watch that the server ends sooner than this is begun again with a growing pause."""

REVIEWS_AT_ONCE = 8
"""Access reviews that one plan asks at the same time."""

_TURN = 100  # pods that are read before others get their turn: about 3 ms

Scope = str | None
"""A namespace, or None for the whole cluster."""


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
            view.set_failed("Hatchway failed while it watched this cluster; reload the page.")


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
        return StateChanged(view.state, view.message, visible)

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
        self._feeds: dict[Scope, _Feed] = {}
        self._following: dict[Scope, asyncio.Task[None]] = {}
        self._subscriptions: set[Subscription] = set()
        self._stopped = asyncio.Event()
        self._plan_now = asyncio.Event()
        self._leaving: asyncio.TimerHandle | None = None
        self.pods: dict[str, PodView] = {}
        self.namespaces: tuple[str, ...] = ()
        self.state = FeedState.CONNECTING
        self.message = ""
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

    def set_failed(self, message: str) -> None:
        """Say that this view will not go on."""
        self._set_state(FeedState.FAILED, message)

    def update(self) -> None:
        """Work out the state from those of the feeds and tell the readers."""
        feeds = self._feeds.values()
        if not self.is_synced and all(feed.is_synced for feed in feeds):
            self.is_synced = True
        troubled = next((feed for feed in feeds if feed.trouble), None)
        if troubled is not None:
            state = FeedState.RECONNECTING if self.is_synced else FeedState.CONNECTING
            self._set_state(state, troubled.trouble)
        elif self.is_synced:
            nothing = "" if feeds else "There is no namespace in which you may list pods."
            self._set_state(FeedState.LIVE, nothing)
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
        wait, longest = BACKOFF_SECONDS
        is_fresh = False
        while True:
            try:
                scopes, namespaces = await self._plan(fresh=is_fresh)
            except StreamRefused as error:
                if self._feeds:
                    logger.info("%s: planning failed: %s", self._connection.name, error)
                else:
                    self._set_state(FeedState.FAILED, error.message)
                pause, wait = wait, min(wait * 2, longest)
            else:
                self._apply(tasks, scopes, namespaces)
                pause, wait = PLAN_SECONDS, BACKOFF_SECONDS[0]
            self._plan_now.clear()
            try:
                async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):  # noqa: S311
                    await self._plan_now.wait()
                await asyncio.sleep(BACKOFF_SECONDS[0])
            except TimeoutError:
                pass
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
            feed = _Feed(self, self._connection, self._identity, scope)
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

    def _set_state(self, state: FeedState, message: str) -> None:
        if (state, message) == (self.state, self.message):
            return
        self.state, self.message = state, message
        for subscription in self._subscriptions:
            subscription.note_state()


class _Expired(Exception):
    """The server does not remember the version from which we wanted to go on."""


class _Feed:
    """One list and one watch: the pods of one scope."""

    def __init__(
        self, view: _View, connection: ClusterConnection, identity: Identity, scope: Scope
    ) -> None:
        self._view = view
        self._connection = connection
        self._identity = identity
        self._scope = scope
        namespace = ("namespaces", scope) if scope is not None else ()
        self._path = api_path("api", "v1", *namespace, "pods")
        self._version: str | None = None
        self._wait = BACKOFF_SECONDS[0]
        self.uids: set[str] = set()
        self.is_synced = False
        self.trouble = ""

    async def run(self) -> None:
        """List, watch, and begin again after every trouble, until cancelled."""
        while True:
            try:
                if self._version is None:
                    await self._list()
                began = asyncio.get_running_loop().time()
                await self._watch()
                if asyncio.get_running_loop().time() - began < SHORT_WATCH_SECONDS:
                    await self._pause()
            except _Expired:
                self._version = None
                await self._pause()
            except ApiRefused as error:
                if error.status in (403, 404):
                    self._lose(refused(error).message)
                self._version = None
                await self._trouble(refused(error).message)
            except (KubeError, OSError) as error:
                await self._trouble(str(error))

    async def _list(self) -> None:
        found: set[str] = set()
        token = version = ""
        while True:
            query = [("limit", str(LIST_LIMIT))] + ([("continue", token)] if token else [])
            try:
                page = await self._connection.call(
                    "GET", self._path, identity=self._identity, query=query
                )
            except ApiRefused as error:
                if error.status == 410:
                    raise _Expired from error
                raise
            items = page.get("items") or []
            for start in range(0, len(items), _TURN):
                pods = [pod_view(item) for item in items[start : start + _TURN]]
                found.update(pod.uid for pod in pods)
                self.uids.update(pod.uid for pod in pods)
                self._view.change(pods, ())
                await asyncio.sleep(0)
            metadata = page.get("metadata") or {}
            version = str(metadata.get("resourceVersion") or "")
            token = str(metadata.get("continue") or "")
            if not token:
                break
        gone = self.uids - found
        self.uids = found
        self._view.change((), gone)
        self._version = version
        self._is_well()

    async def _watch(self) -> None:
        query = [
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version or ""),
            ("timeoutSeconds", str(WATCH_SECONDS)),
        ]
        try:
            async with (
                asyncio.timeout(WATCH_SECONDS + 30),
                self._connection.lines(self._path, identity=self._identity, query=query) as lines,
            ):
                self._is_well()
                async for line in lines:
                    self._take(line)
                    self._wait = BACKOFF_SECONDS[0]
        except ApiRefused as error:
            if error.status == 410:
                raise _Expired from error
            raise
        except TimeoutError as error:
            raise Unreachable(f"The cluster {self._connection.name} fell silent.") from error

    def _take(self, line: bytes) -> None:
        try:
            event: dict[str, Any] = orjson.loads(line)
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                if item.get("code") == 410:
                    raise _Expired
                raise Unreachable(f"The watch failed: {item.get('message')}")
            version = item["metadata"]["resourceVersion"]
            if kind == "DELETED":
                uid = item["metadata"]["uid"]
                self.uids.discard(uid)
                self._view.change((), (uid,))
            elif kind in ("ADDED", "MODIFIED"):
                pod = pod_view(item)
                self.uids.add(pod.uid)
                self._view.change((pod,), ())
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            self._version = None
            raise Unreachable(
                f"The cluster {self._connection.name} sent a watch event that makes no sense."
            ) from error
        self._version = version

    def _is_well(self) -> None:
        if self.trouble or not self.is_synced:
            self.trouble = ""
            self.is_synced = True
            self._view.update()

    def _lose(self, message: str) -> None:
        """Forget everything: what may not be seen any more must not be shown any more."""
        logger.info("%s: %s", self._connection.name, message)
        gone, self.uids = self.uids, set()
        self._view.change((), gone)
        self._view.replan()

    async def _trouble(self, message: str) -> None:
        self.trouble = message
        self._view.update()
        await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._wait * random.uniform(0.5, 1.0))  # noqa: S311
        self._wait = min(self._wait * 2, BACKOFF_SECONDS[1])
