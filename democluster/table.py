"""Tables: what `kubectl get` prints, made by the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from democluster.objects import JsonObject, parse_time

Cells = list[Any]
NONE = "<none>"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: wide ones (priority 1) are shown by `-o wide` only."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0


def table(
    items: list[JsonObject], metadata: JsonObject, *, with_columns: bool = True
) -> JsonObject:
    """Return the items, all of one kind, as a `meta.k8s.io/v1` Table."""
    kind = items[0]["kind"] if items else ""
    return table_of(kind, items, metadata, with_columns=with_columns)


def table_of(
    kind: str, items: list[JsonObject], metadata: JsonObject, *, with_columns: bool = True
) -> JsonObject:
    """Return the items as a Table with the columns of `kind`."""
    columns, row = _PRINTERS.get(kind, (_DEFAULT_COLUMNS, _default_row))
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns] if with_columns else None,
        "rows": [
            {
                "cells": row(item),
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"],
                },
            }
            for item in items
        ],
    }


def age_of(moment: str | None) -> str:
    """Return how long ago an RFC 3339 moment was, as short as kubectl says it."""
    if not moment:
        return "<unknown>"
    seconds = max(0, int((datetime.now(UTC) - parse_time(moment)).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        rest = seconds % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    return f"{days}d"


def pod_reason(pod: JsonObject) -> str:
    """Return the one word that says how a pod is: Running, CrashLoopBackOff, Terminating …"""
    status = pod.get("status", {})
    reason: str = status.get("reason") or status.get("phase", "Unknown")
    running = False
    for container in reversed(status.get("containerStatuses") or []):
        state = container.get("state", {})
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended:
            reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
        elif container.get("ready") and state.get("running"):
            running = True
    if reason == "Completed" and running:
        reason = "Running"
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return reason


def _definition(column: Column) -> JsonObject:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.name,
        "priority": column.priority,
    }


def _pod_row(pod: JsonObject) -> Cells:
    containers = pod["status"].get("containerStatuses") or []
    total = len(pod["spec"]["containers"])
    ready = sum(1 for container in containers if container.get("ready"))
    restarts = sum(container.get("restartCount", 0) for container in containers)
    last = max(
        (
            container["lastState"]["terminated"]["finishedAt"]
            for container in containers
            if container.get("lastState", {}).get("terminated")
        ),
        default=None,
    )
    return [
        pod["metadata"]["name"],
        f"{ready}/{total}",
        pod_reason(pod),
        f"{restarts} ({age_of(last)} ago)" if last else str(restarts),
        _age(pod),
        pod["status"].get("podIP", NONE),
        pod["spec"].get("nodeName", NONE),
        NONE,
        NONE,
    ]


def _deployment_row(item: JsonObject) -> Cells:
    status = item.get("status", {})
    return [
        item["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(item),
        *_template_cells(item),
    ]


def _replica_set_row(item: JsonObject) -> Cells:
    status = item.get("status", {})
    return [
        item["metadata"]["name"],
        item["spec"].get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(item),
        *_template_cells(item),
    ]


def _daemon_set_row(item: JsonObject) -> Cells:
    status = item.get("status", {})
    return [
        item["metadata"]["name"],
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        NONE,
        _age(item),
        *_template_cells(item),
    ]


def _namespace_row(item: JsonObject) -> Cells:
    return [item["metadata"]["name"], item["status"]["phase"], _age(item)]


def _node_row(item: JsonObject) -> Cells:
    about = item["status"]["nodeInfo"]
    return [
        item["metadata"]["name"],
        "Ready",
        NONE,
        _age(item),
        about["kubeletVersion"],
        item["status"]["addresses"][0]["address"],
        NONE,
        about["osImage"],
        about["kernelVersion"],
        about["containerRuntimeVersion"],
    ]


def _event_row(item: JsonObject) -> Cells:
    about = item["involvedObject"]
    source = item.get("source", {})
    return [
        age_of(item.get("lastTimestamp") or item.get("eventTime")),
        item.get("type", ""),
        item.get("reason", ""),
        f"{about['kind'].lower()}/{about['name']}",
        about.get("fieldPath", ""),
        ", ".join(filter(None, (source.get("component"), source.get("host")))),
        item.get("message", ""),
        age_of(item.get("firstTimestamp") or item.get("eventTime")),
        item.get("count", 1),
        item["metadata"]["name"],
    ]


def _service_row(item: JsonObject) -> Cells:
    spec = item.get("spec", {})
    ports = [f"{port['port']}/{port.get('protocol', 'TCP')}" for port in spec.get("ports", [])]
    return [
        item["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP", NONE),
        NONE,
        ",".join(ports) or NONE,
        _age(item),
        _labels(spec.get("selector")),
    ]


def _default_row(item: JsonObject) -> Cells:
    return [item["metadata"]["name"], item["metadata"]["creationTimestamp"]]


def _template_cells(item: JsonObject) -> Cells:
    containers = item["spec"]["template"]["spec"]["containers"]
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container["image"] for container in containers),
        _labels(item["spec"].get("selector", {}).get("matchLabels")),
    ]


def _labels(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _age(item: JsonObject) -> str:
    return age_of(item["metadata"].get("creationTimestamp"))


_NAME = Column("Name", format="name")
_AGE = Column("Age")
_TEMPLATE = (Column("Containers", priority=1), Column("Images", priority=1))
_SELECTOR = Column("Selector", priority=1)
_DEFAULT_COLUMNS = (_NAME, Column("Created At", "date"))

_PRINTERS: Mapping[str, tuple[tuple[Column, ...], Callable[[JsonObject], Cells]]] = {
    "Pod": (
        (
            _NAME,
            Column("Ready"),
            Column("Status"),
            Column("Restarts"),
            _AGE,
            Column("IP", priority=1),
            Column("Node", priority=1),
            Column("Nominated Node", priority=1),
            Column("Readiness Gates", priority=1),
        ),
        _pod_row,
    ),
    "Deployment": (
        (
            _NAME,
            Column("Ready"),
            Column("Up-to-date"),
            Column("Available"),
            _AGE,
            *_TEMPLATE,
            _SELECTOR,
        ),
        _deployment_row,
    ),
    "ReplicaSet": (
        (
            _NAME,
            Column("Desired", "integer"),
            Column("Current", "integer"),
            Column("Ready", "integer"),
            _AGE,
            *_TEMPLATE,
            _SELECTOR,
        ),
        _replica_set_row,
    ),
    "DaemonSet": (
        (
            _NAME,
            Column("Desired", "integer"),
            Column("Current", "integer"),
            Column("Ready", "integer"),
            Column("Up-to-date", "integer"),
            Column("Available", "integer"),
            Column("Node Selector"),
            _AGE,
            *_TEMPLATE,
            _SELECTOR,
        ),
        _daemon_set_row,
    ),
    "Namespace": ((_NAME, Column("Status"), _AGE), _namespace_row),
    "Node": (
        (
            _NAME,
            Column("Status"),
            Column("Roles"),
            _AGE,
            Column("Version"),
            Column("Internal-IP", priority=1),
            Column("External-IP", priority=1),
            Column("OS-Image", priority=1),
            Column("Kernel-Version", priority=1),
            Column("Container-Runtime", priority=1),
        ),
        _node_row,
    ),
    "Event": (
        (
            Column("Last Seen"),
            Column("Type"),
            Column("Reason"),
            Column("Object"),
            Column("Subobject", priority=1),
            Column("Source", priority=1),
            Column("Message"),
            Column("First Seen", priority=1),
            Column("Count", priority=1),
            Column("Name", format="name", priority=1),
        ),
        _event_row,
    ),
    "Service": (
        (
            _NAME,
            Column("Type"),
            Column("Cluster-IP"),
            Column("External-IP"),
            Column("Port(s)"),
            _AGE,
            _SELECTOR,
        ),
        _service_row,
    ),
}
