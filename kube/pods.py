"""What Hatchway needs to know of a pod, taken from the API server's JSON.

A pod as the API server sends it is many times larger than what anybody looks at; only `PodView`
is kept in memory. `printed_status` follows kubectl's printer (kubernetes/pkg/printers, printPod),
so that both show the same word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.execution import PodFacts, Refusal, Refused
from protocol.refusal import StreamRefused

Json = Mapping[str, Any]

_KINDS = (
    ("main", "containers", "containerStatuses"),
    ("init", "initContainers", "initContainerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)

_CRON_JOB = re.compile(r"(?P<name>.+)-\d{8,11}")  # a CronJob appends the minute it was due


@dataclass(frozen=True, slots=True)
class Workload:
    """What a pod belongs to, such as the Deployment behind its ReplicaSet."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ContainerView:
    """One container, with the fields of `hatchway.targets.v1`."""

    name: str
    image: str
    type: str
    """`main`, `init` or `ephemeral`."""
    state: str
    """`waiting`, `running` or `terminated`."""
    ready: bool
    restarts: int
    reason: str
    exit_code: int | None
    started: str | None
    tty: bool
    stdin: bool
    container_id: str


@dataclass(frozen=True, slots=True)
class PodView:
    """One pod, with the fields of `hatchway.targets.v1`."""

    uid: str
    namespace: str
    name: str
    node: str
    phase: str
    status: str
    """The word that `kubectl get pods` prints."""
    ready: int
    total: int
    restarts: int
    created: str
    labels: Mapping[str, str]
    workload: Workload | None
    """None for a pod that stands alone."""
    containers: tuple[ContainerView, ...]


def pod_view(pod: Json) -> PodView:
    """Return what is kept of a pod."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    status, ready, total, restarts = printed_status(pod)
    return PodView(
        uid=str(metadata.get("uid") or ""),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        node=str(spec.get("nodeName") or ""),
        phase=str((pod.get("status") or {}).get("phase") or ""),
        status=status,
        ready=ready,
        total=total,
        restarts=restarts,
        created=str(metadata.get("creationTimestamp") or ""),
        labels=dict(metadata.get("labels") or {}),
        workload=_workload(metadata),
        containers=tuple(
            _container_view(kind, spec, found) for kind, spec, found in containers_of(pod)
        ),
    )


def printed_status(pod: Json) -> tuple[str, int, int, int]:
    """Return the status word, ready containers, their total, and restarts, as kubectl prints."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    word = str(status.get("reason") or status.get("phase") or "")
    conditions = {found.get("type"): found for found in status.get("conditions") or []}
    if (conditions.get("PodScheduled") or {}).get("reason") == "SchedulingGated":
        word = "SchedulingGated"
    sidecars = {
        found.get("name")
        for found in spec.get("initContainers") or []
        if found.get("restartPolicy") == "Always"
    }
    total = len(spec.get("containers") or []) + len(sidecars)
    init_word, ready, restarts, sidecar_restarts = _printed_init(spec, status, sidecars)
    is_initialized = (conditions.get("Initialized") or {}).get("status") == "True"
    if init_word is not None:
        word = init_word
    if init_word is None or is_initialized:
        restarts = sidecar_restarts
        has_running = False
        for container in reversed(status.get("containerStatuses") or []):
            restarts += container.get("restartCount") or 0
            state = container.get("state") or {}
            if (state.get("waiting") or {}).get("reason"):
                word = state["waiting"]["reason"]
            elif "terminated" in state:
                word = _ended_word(state["terminated"])
            elif container.get("ready") and "running" in state:
                has_running = True
                ready += 1
        if word == "Completed" and has_running:
            is_ready = (conditions.get("Ready") or {}).get("status") == "True"
            word = "Running" if is_ready else "NotReady"
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            word = "Unknown"
        elif status.get("phase") not in {"Failed", "Succeeded"}:
            word = "Terminating"
    return word, ready, total, restarts


def _printed_init(spec: Json, status: Json, sidecars: set[Any]) -> tuple[str | None, int, int, int]:
    """Return the word while initialising (None afterwards), ready sidecars, both restarts."""
    ready = restarts = sidecar_restarts = 0
    for index, container in enumerate(status.get("initContainerStatuses") or []):
        is_sidecar = container.get("name") in sidecars
        count = container.get("restartCount") or 0
        restarts += count
        sidecar_restarts += count if is_sidecar else 0
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and container.get("started"):
            ready += 1 if container.get("ready") else 0
            continue
        waiting = (state.get("waiting") or {}).get("reason")
        if ended is not None:
            word = f"Init:{_ended_word(ended)}"
        elif waiting and waiting != "PodInitializing":
            word = f"Init:{waiting}"
        else:
            word = f"Init:{index}/{len(spec.get('initContainers') or [])}"
        return word, ready, restarts, sidecar_restarts
    return None, ready, restarts, sidecar_restarts


def _ended_word(ended: Json) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode') or 0}"


def _container_view(kind: str, spec: Json, status: Json) -> ContainerView:
    state, details = state_of(status)
    return ContainerView(
        name=str(spec.get("name") or ""),
        image=str(spec.get("image") or ""),
        type=kind,
        state=state,
        ready=bool(status.get("ready")),
        restarts=int(status.get("restartCount") or 0),
        reason=str(details.get("reason") or "") if state != "running" else "",
        exit_code=details.get("exitCode") if state == "terminated" else None,
        started=details.get("startedAt") if state != "waiting" else None,
        tty=bool(spec.get("tty")),
        stdin=bool(spec.get("stdin")),
        container_id=str(status.get("containerID") or ""),
    )


def _workload(metadata: Json) -> Workload | None:
    for owner in metadata.get("ownerReferences") or []:
        if not owner.get("controller"):
            continue
        kind, name = str(owner.get("kind") or ""), str(owner.get("name") or "")
        template = (metadata.get("labels") or {}).get("pod-template-hash")
        if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
            return Workload("Deployment", name.removesuffix(f"-{template}"))
        if kind == "Job" and (scheduled := _CRON_JOB.fullmatch(name)) is not None:
            return Workload("CronJob", scheduled["name"])
        return Workload(kind, name)
    return None


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
