"""The objects of the cluster, their versions and their history.

Stored objects are never changed in place: `update` replaces them by a changed copy, so whoever
holds one may read it at leisure. Every change takes the next resource version and is kept in a
bounded history, from which watches are served. A watch that falls behind the history is told
`410 Expired`, like in a real cluster, and lists again.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from democluster.objects import JsonObject, new_uid, now
from democluster.resources import STORED, Resource
from democluster.status import already_exists, expired, not_found

MAX_HISTORY = 4096
"""Changes that are kept per resource for watches. When full, the oldest go; a watch that needed
one is told 410."""

MAX_EVENTS = 1000
"""Event objects that are kept. When full, the oldest go, like by the expiry of a real cluster."""

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object."""

    version: int
    type: str
    """ADDED, MODIFIED or DELETED."""
    object: JsonObject
    previous: JsonObject | None
    """The object before, for selectors that it no longer or newly matches."""


class Store:
    """All objects of one cluster. Used by one event loop; no call waits, except for `changed`."""

    def __init__(self) -> None:
        # Versions grow over restarts too, so that a client from before is told 410.
        self._version = int(time.time() * 100)
        self._objects: dict[Resource, dict[Key, JsonObject]] = {item: {} for item in STORED}
        self._history: dict[Resource, deque[Change]] = {
            item: deque(maxlen=MAX_HISTORY) for item in STORED
        }
        self._forgotten: dict[Resource, int] = dict.fromkeys(STORED, self._version)
        self._changed = asyncio.Event()

    @property
    def version(self) -> int:
        """The newest resource version."""
        return self._version

    @property
    def changed(self) -> asyncio.Event:
        """An event that the next change of anything sets. Take it before reading, then wait."""
        return self._changed

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        """Return an object. Raises ApiError 404."""
        found = self._objects[resource].get((namespace, name))
        if found is None:
            raise not_found(resource, name)
        return found

    def find(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """Return an object or None."""
        return self._objects[resource].get((namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> list[JsonObject]:
        """Return the objects of a namespace (empty: of all), in the order of their names."""
        objects = self._objects[resource]
        keys = sorted(key for key in objects if not namespace or key[0] == namespace)
        return [objects[key] for key in keys]

    def create(self, resource: Resource, body: JsonObject) -> JsonObject:
        """Store a new object and return it with what the server fills in. Raises ApiError 409."""
        made = copy.deepcopy(body)
        made["apiVersion"], made["kind"] = resource.group_version, resource.kind
        metadata = made["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        if key in self._objects[resource]:
            raise already_exists(resource, metadata["name"])
        metadata["uid"] = new_uid()
        metadata["creationTimestamp"] = now()
        self._commit(resource, key, "ADDED", made, None)
        return made

    def update(
        self, resource: Resource, key: Key, change: Callable[[JsonObject], None]
    ) -> JsonObject:
        """Replace an object by a copy that `change` edited; nothing happens if it edited nothing.

        Raises ApiError 404.
        """
        before = self.get(resource, *key)
        after = copy.deepcopy(before)
        change(after)
        if after == before:
            return before
        if after.get("spec") != before.get("spec") and "generation" in before["metadata"]:
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        self._commit(resource, key, "MODIFIED", after, before)
        return after

    def delete(self, resource: Resource, key: Key) -> JsonObject:
        """Remove an object and return its last state. Raises ApiError 404."""
        before = self.get(resource, *key)
        after = copy.deepcopy(before)
        self._commit(resource, key, "DELETED", after, before)
        return after

    def changes_after(self, resource: Resource, version: int) -> Iterator[Change]:
        """Yield the kept changes of a resource that are newer than `version`.

        Raises ApiError 410 if changes after that version were already forgotten.
        """
        if version < self._forgotten[resource]:
            raise expired(version, self._version)
        return iter([change for change in self._history[resource] if change.version > version])

    def _commit(
        self,
        resource: Resource,
        key: Key,
        kind: str,
        after: JsonObject,
        before: JsonObject | None,
    ) -> None:
        self._version += 1
        after["metadata"]["resourceVersion"] = str(self._version)
        if kind == "DELETED":
            del self._objects[resource][key]
        else:
            self._objects[resource][key] = after
        history = self._history[resource]
        if len(history) == MAX_HISTORY:
            self._forgotten[resource] = history[0].version
        history.append(Change(self._version, kind, after, before))
        self._changed.set()
        self._changed = asyncio.Event()


def oldest_first(objects: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the objects in the order in which they were made."""
    return sorted(objects, key=lambda item: int(item["metadata"]["resourceVersion"]))
