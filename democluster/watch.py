"""Watches: changes as they happen, one JSON object per line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from aiohttp import web

from democluster import table
from democluster.objects import JsonObject
from democluster.requests import ApiRequest
from democluster.rest import predicate, wants_table
from democluster.selectors import Predicate
from democluster.status import ApiError, method_not_allowed
from democluster.store import Change, Store

BOOKMARK_SECONDS = 60.0
"""How often a watch that wants bookmarks is told the newest version."""

DEFAULT_SECONDS = 1800.0
"""How long a watch lasts when the client does not say."""

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


async def watch(store: Store, request: ApiRequest) -> web.StreamResponse:
    """Answer a watch until its time is over or the client goes."""
    if "watch" not in request.resource.verbs:
        raise method_not_allowed()
    stream = _Watch(store, request)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request.http)
    try:
        async with asyncio.timeout(stream.seconds):
            async for event in stream.events():
                line = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
                await response.write(line.encode() + b"\n")
    except TimeoutError:
        pass
    await response.write_eof()
    return response


class _Watch:
    def __init__(self, store: Store, request: ApiRequest) -> None:
        query = request.http.query
        self._store = store
        self._request = request
        self._wanted: Predicate = predicate(request)
        self._bookmarks = request.flag("allowWatchBookmarks")
        self._as_table = wants_table(request.http)
        self._has_columns = False
        version = query.get("resourceVersion", "")
        if version and not version.isdigit():
            message = (
                f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing '
                f'"{version}": invalid syntax'
            )
            raise ApiError(500, "", message)
        self._version = int(version or 0)
        self._initial = self._version == 0 or request.flag("sendInitialEvents")
        seconds = query.get("timeoutSeconds", "")
        self.seconds = float(seconds) if seconds.isdigit() and int(seconds) else DEFAULT_SECONDS

    async def events(self) -> AsyncIterator[JsonObject]:
        if self._initial:
            self._version = self._store.version
            for item in self._store.list(self._request.resource, self._request.namespace):
                if self._wanted(item):
                    yield self._event("ADDED", item)
            if self._bookmarks:
                yield self._bookmark(initial=True)
        while True:
            changed = self._store.changed
            try:
                changes = list(self._store.changes_after(self._request.resource, self._version))
            except ApiError as error:
                yield {"type": "ERROR", "object": error.body}
                return
            for change in changes:
                self._version = max(self._version, change.version)
                if (event := self._seen(change)) is not None:
                    yield event
            if not changes and not await _set_within(changed, BOOKMARK_SECONDS) and self._bookmarks:
                self._version = max(self._version, self._store.version)
                yield self._bookmark()

    def _seen(self, change: Change) -> JsonObject | None:
        """Return what a change is to somebody who sees only what the selectors let through."""
        metadata = change.object["metadata"]
        if self._request.namespace and metadata.get("namespace") != self._request.namespace:
            return None
        is_in = change.type != "DELETED" and self._wanted(change.object)
        was_in = change.previous is not None and self._wanted(change.previous)
        match (was_in, is_in):
            case (False, True):
                return self._event("ADDED", change.object)
            case (True, True):
                return self._event("MODIFIED", change.object)
            case (True, False):
                # What left a selector is told as it was when it was still in it.
                last = change.object if change.type == "DELETED" else change.previous
                metadata = {"resourceVersion": str(change.version)}
                assert last is not None
                return self._event("DELETED", last | {"metadata": last["metadata"] | metadata})
            case _:
                return None

    def _event(self, kind: str, item: JsonObject) -> JsonObject:
        if not self._as_table:
            return {"type": kind, "object": item}
        first, self._has_columns = not self._has_columns, True
        metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
        rows = table.table_of(item["kind"], [item], metadata, with_columns=first)
        return {"type": kind, "object": rows}

    def _bookmark(self, *, initial: bool = False) -> JsonObject:
        metadata: JsonObject = {"resourceVersion": str(self._version)}
        if initial:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        resource = self._request.resource
        return {
            "type": "BOOKMARK",
            "object": {
                "kind": resource.kind,
                "apiVersion": resource.group_version,
                "metadata": metadata,
            },
        }


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
