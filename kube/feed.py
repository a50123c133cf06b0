"""One list and one watch: the pods of one namespace, or of a whole cluster.

A feed lists once and then only follows: a watch that breaks goes on from the newest version that
was seen, and only a version that the server has forgotten is listed again. What it finds goes
into a tree that it shares with other feeds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

import orjson

from kube.backoff import Backoff
from kube.connection import ClusterConnection, api_path
from kube.errors import ApiRefused, KubeError, Unreachable, refused
from kube.pods import PodView, pod_view
from protocol.execution import Refusal
from protocol.identity import Identity
from protocol.reason import Reason

logger = logging.getLogger(__name__)

WATCH_SECONDS = 270
"""How long the server keeps one watch (kubectl's is 5 to 10 minutes)."""

SHORT_WATCH_SECONDS = 5.0
"""A watch that the server ends sooner than this is begun again with a growing pause."""

LIST_LIMIT = 500
"""Objects in one page of a list; of pods about 1 MiB."""

_TURN = 100  # pods that are read before others get their turn: about 3 ms

Scope = str | None
"""A namespace, or None for the whole cluster."""


class PodTree(Protocol):
    """Where the feeds of a cluster put what they find."""

    def change(self, pods: Iterable[PodView], gone: Iterable[str]) -> None:
        """Take new pods in and forget others."""
        ...

    def update(self) -> None:
        """Look at the feeds' state again."""
        ...

    def replan(self) -> None:
        """Ask again which scopes there are: one turned out to be forbidden."""
        ...


class _Expired(Exception):
    """The server does not remember the version from which we wanted to go on."""


class PodFeed:
    """One list and one watch: the pods of one scope."""

    def __init__(
        self, tree: PodTree, connection: ClusterConnection, identity: Identity, scope: Scope
    ) -> None:
        self._tree = tree
        self._connection = connection
        self._identity = identity
        self._scope = scope
        namespace = ("namespaces", scope) if scope is not None else ()
        self._path = api_path("api", "v1", *namespace, "pods")
        self._version: str | None = None
        self._backoff = Backoff()
        self.uids: set[str] = set()
        """The pods of this scope that the tree has."""
        self.is_synced = False
        """Whether they have been listed once."""
        self.trouble = ""
        """What is wrong, as one sentence, or nothing."""
        self.because: Reason | None = None
        """The same for a translation."""

    async def run(self) -> None:
        """List, watch, and begin again after every trouble, until cancelled."""
        while True:
            try:
                if self._version is None:
                    await self._list()
                began = asyncio.get_running_loop().time()
                await self._watch()
                if asyncio.get_running_loop().time() - began < SHORT_WATCH_SECONDS:
                    await self._backoff.pause()
            except _Expired:
                self._version = None
                await self._backoff.pause()
            except ApiRefused as error:
                if error.status in (403, 404):
                    self._lose(refused(error).message)
                self._version = None
                await self._trouble(refused(error).message, refused(error).refused.reason)
            except KubeError as error:
                await self._trouble(str(error), refused(error).refused.reason)
            except OSError as error:
                away = Reason.of_refusal(Refusal.CLUSTER_UNREACHABLE)
                await self._trouble(str(error), away)

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
                self._tree.change(pods, ())
                await asyncio.sleep(0)
            metadata = page.get("metadata") or {}
            version = str(metadata.get("resourceVersion") or "")
            token = str(metadata.get("continue") or "")
            if not token:
                break
        gone = self.uids - found
        self.uids = found
        self._tree.change((), gone)
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
                    self._backoff.reset()
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
                self._tree.change((), (uid,))
            elif kind in ("ADDED", "MODIFIED"):
                pod = pod_view(item)
                self.uids.add(pod.uid)
                self._tree.change((pod,), ())
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            self._version = None
            raise Unreachable(
                f"The cluster {self._connection.name} sent a watch event that makes no sense."
            ) from error
        self._version = version

    def _is_well(self) -> None:
        if self.trouble or not self.is_synced:
            self.trouble, self.because = "", None
            self.is_synced = True
            self._tree.update()

    def _lose(self, message: str) -> None:
        """Forget everything: what may not be seen any more must not be shown any more."""
        logger.info("%s: %s", self._connection.name, message)
        gone, self.uids = self.uids, set()
        self._tree.change((), gone)
        self._tree.replan()

    async def _trouble(self, message: str, because: Reason) -> None:
        self.trouble, self.because = message, because
        self._tree.update()
        await self._backoff.pause()
