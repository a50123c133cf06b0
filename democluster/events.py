"""Events: what happened to pods, in the words of scheduler and kubelet."""

from __future__ import annotations

import secrets

from democluster.objects import JsonObject, now
from democluster.resources import EVENTS
from democluster.store import MAX_EVENTS, Store, oldest_first


class EventRecorder:
    """Writes events of one component. The same event again only counts up."""

    def __init__(self, store: Store, component: str, host: str = "") -> None:
        self._store = store
        self._source = {"component": component} | ({"host": host} if host else {})
        self._names: dict[tuple[str, str, str], str] = {}

    def record(
        self,
        about: JsonObject,
        reason: str,
        message: str,
        *,
        container: str = "",
        bad: bool = False,
    ) -> None:
        """Write an event about a pod, or about one of its containers."""
        metadata = about["metadata"]
        namespace = metadata["namespace"]
        same = (metadata["uid"], reason, message)
        name = self._names.get(same)
        if name and self._store.find(EVENTS, namespace, name):
            self._store.update(EVENTS, (namespace, name), _count)
            return
        moment = now()
        involved: JsonObject = {
            "kind": about["kind"],
            "apiVersion": about["apiVersion"],
            "namespace": namespace,
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        }
        if container:
            involved["fieldPath"] = f"spec.containers{{{container}}}"
        name = f"{metadata['name']}.{secrets.token_hex(8)}"
        self._store.create(
            EVENTS,
            {
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": involved,
                "reason": reason,
                "message": message,
                "source": self._source,
                "firstTimestamp": moment,
                "lastTimestamp": moment,
                "count": 1,
                "type": "Warning" if bad else "Normal",
                "eventTime": None,
                "reportingComponent": self._source["component"],
                "reportingInstance": self._source.get("host", ""),
            },
        )
        self._names[same] = name
        self._forget()

    def _forget(self) -> None:
        events = self._store.list(EVENTS)
        for event in oldest_first(events)[: max(0, len(events) - MAX_EVENTS)]:
            metadata = event["metadata"]
            self._store.delete(EVENTS, (metadata["namespace"], metadata["name"]))
        if len(self._names) > MAX_EVENTS:
            self._names.clear()


def _count(event: JsonObject) -> None:
    event["count"] += 1
    event["lastTimestamp"] = now()
