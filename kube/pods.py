"""What Hatchway needs to know of a pod, taken from the API server's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocol.execution import PodFacts, Refusal, Refused
from protocol.refusal import StreamRefused

Json = Mapping[str, Any]

_KINDS = (
    ("main", "containers", "containerStatuses"),
    ("init", "initContainers", "initContainerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)


def containers_of(pod: Json) -> Iterator[tuple[str, Json, Json]]:
    """Yield every container of a pod: its type (main, init, ephemeral), spec and status."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    for kind, specs, statuses in _KINDS:
        known = {found.get("name"): found for found in status.get(statuses) or []}
        for container in spec.get(specs) or []:
            yield kind, container, known.get(container.get("name")) or {}


def state_of(status: Json) -> tuple[str, Json]:
    """Return a container's state (waiting, running, terminated) and what is said about it."""
    state = status.get("state") or {}
    for name in ("running", "terminated", "waiting"):
        if isinstance(state.get(name), Mapping):
            return name, state[name]
    return "waiting", {}


def pod_facts(pod: Json, container: str) -> PodFacts:
    """Return the facts of a pod about one of its containers. Raises StreamRefused without it."""
    for _kind, spec, status in containers_of(pod):
        if spec.get("name") != container:
            continue
        state, details = state_of(status)
        metadata = pod.get("metadata") or {}
        return PodFacts(
            uid=str(metadata.get("uid") or ""),
            node=str((pod.get("spec") or {}).get("nodeName") or ""),
            phase=str((pod.get("status") or {}).get("phase") or ""),
            container_id=str(status.get("containerID") or ""),
            container_running=state == "running",
            labels=dict(metadata.get("labels") or {}),
            container_tty=bool(spec.get("tty")),
            container_stdin=bool(spec.get("stdin")),
            reason=str(details.get("reason") or "") if state != "running" else "",
            exit_code=details.get("exitCode") if state == "terminated" else None,
        )
    name = (pod.get("metadata") or {}).get("name")
    raise StreamRefused(
        Refused(Refusal.CONTAINER_NOT_FOUND, f"The pod {name} has no container named {container}.")
    )
