"""A cluster in memory: pods that change, watches that break, access reviews, all on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.kube.kubelet import status_response

Json = dict[str, Any]


def pod(
    name: str, namespace: str = "shop", *, uid: str = "", phase: str = "Running", **more: Any
) -> Json:
    """Return a pod as an API server would send it."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}",
            "creationTimestamp": "2026-11-21T09:00:00Z",
        },
        "spec": {"containers": [{"name": "main", "image": "img"}], "nodeName": "node-1"},
        "status": {"phase": phase},
    } | more


@dataclass
class ApiServer:
    """Answers list, watch, namespaces and access reviews; a test changes what it says."""

    pods: dict[str, Json] = field(default_factory=dict)
    namespaces: list[str] = field(default_factory=lambda: ["shop", "vault"])
    may: Callable[[str, Json], bool] = lambda who, asked: True
    page: int = 500
    version: int = 100
    expired: bool = False
    down: bool = False
    lists: list[str] = field(default_factory=list)
    watches: list[str] = field(default_factory=list)
    reviews: list[tuple[str, Json]] = field(default_factory=list)
    open_watches: dict[web.StreamResponse, tuple[str, web.Request]] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            return status_response(503, "ServiceUnavailable", "down")
        if request.path.endswith("/selfsubjectaccessreviews"):
            return await self._review(request)
        if request.path == "/api/v1/namespaces":
            if not self._allows(request, {"verb": "list", "resource": "namespaces"}):
                return status_response(403, "Forbidden", "no namespaces")
            items = [{"metadata": {"name": name}} for name in self.namespaces]
            return web.json_response({"metadata": {}, "items": items})
        scope = request.path.removeprefix("/api/v1").removesuffix("pods").strip("/")
        namespace = scope.removeprefix("namespaces/")
        asked = {"verb": "list", "resource": "pods"} | (
            {"namespace": namespace} if namespace else {}
        )
        if not self._allows(request, asked):
            return status_response(403, "Forbidden", "no pods")
        if request.query.get("watch"):
            return await self._watch(request, namespace)
        return self._list(request, namespace)

    async def put(self, item: Json) -> None:
        """Add or change a pod and tell the watches."""
        kind = "MODIFIED" if item["metadata"]["uid"] in self.pods else "ADDED"
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self.pods[item["metadata"]["uid"]] = item
        await self.tell(kind, item)

    async def remove(self, uid: str) -> None:
        """Delete a pod and tell the watches."""
        self.version += 1
        item = self.pods.pop(uid)
        item["metadata"]["resourceVersion"] = str(self.version)
        await self.tell("DELETED", item)

    async def tell(self, kind: str, item: Json) -> None:
        """Send an event to every watch that it concerns."""
        line = json.dumps({"type": kind, "object": item}).encode() + b"\n"
        for response, (namespace, _) in list(self.open_watches.items()):
            if kind in ("ERROR", "BOOKMARK") or namespace in ("", item["metadata"]["namespace"]):
                await response.write(line)

    def cut(self) -> None:
        """Break every watch."""
        for _, request in self.open_watches.values():
            if request.transport is not None:
                request.transport.abort()

    def _allows(self, request: web.Request, asked: Json) -> bool:
        return self.may(request.headers.get("Impersonate-User", ""), asked)

    async def _review(self, request: web.Request) -> web.Response:
        attributes = (await request.json())["spec"]["resourceAttributes"]
        who = request.headers.get("Impersonate-User", "")
        self.reviews.append((who, attributes))
        return web.json_response({"status": {"allowed": self.may(who, attributes)}}, status=201)

    def _list(self, request: web.Request, namespace: str) -> web.Response:
        self.lists.append(namespace)
        found = [
            item for item in self.pods.values() if namespace in ("", item["metadata"]["namespace"])
        ]
        start = int(request.query.get("continue") or 0)
        limit = min(int(request.query.get("limit") or 10**6), self.page)
        metadata: Json = {"resourceVersion": str(self.version)}
        if start + limit < len(found):
            metadata["continue"] = str(start + limit)
        return web.json_response({"metadata": metadata, "items": found[start : start + limit]})

    async def _watch(self, request: web.Request, namespace: str) -> web.StreamResponse:
        self.watches.append(request.query["resourceVersion"])
        if self.expired:
            self.expired = False
            return status_response(410, "Expired", "too old resource version")
        response = web.StreamResponse()
        await response.prepare(request)
        self.open_watches[response] = (namespace, request)
        try:
            await asyncio.sleep(3600)
        finally:
            del self.open_watches[response]
        raise AssertionError
