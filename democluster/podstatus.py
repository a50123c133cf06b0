"""What a node reports about a pod: phase, conditions and the state of every container."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from democluster.container import Container
from democluster.logs import ContainerLog
from democluster.objects import JsonObject, now

State = dict[Literal["waiting", "running", "terminated"], JsonObject]


@dataclass(slots=True)
class Slot:
    """One container of a pod over all its runs."""

    spec: JsonObject
    is_ephemeral: bool = False
    state: State = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: State = field(default_factory=dict)
    restarts: int = 0
    container: Container | None = None
    """The current run, or the one that ended last."""
    log: ContainerLog | None = None
    previous_log: ContainerLog | None = None

    @property
    def name(self) -> str:
        """The name of the container."""
        return str(self.spec["name"])


def pod_status(
    pod: JsonObject, slots: Collection[Slot], *, pod_ip: str, started_at: str, is_ending: bool
) -> JsonObject:
    """Return the status of a pod from the state of its containers."""
    main = [slot for slot in slots if not slot.is_ephemeral]
    ephemeral = [slot for slot in slots if slot.is_ephemeral]
    phase = _phase(main, pod["spec"]["restartPolicy"], is_ending=is_ending)
    unready = [slot.name for slot in main if "running" not in slot.state]
    status: JsonObject = pod["status"] | {
        "phase": phase,
        "conditions": _conditions(pod["status"], unready, is_over=phase == "Succeeded"),
        "containerStatuses": [_container_status(slot) for slot in main],
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "startTime": started_at,
    }
    if any(slot.container is not None for slot in main):
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    if ephemeral:
        status["ephemeralContainerStatuses"] = [_container_status(slot) for slot in ephemeral]
    return status


def _phase(slots: list[Slot], policy: str, *, is_ending: bool) -> str:
    if any("running" in slot.state for slot in slots):
        return "Running"
    codes = [slot.state.get("terminated", {}).get("exitCode") for slot in slots]
    if all(code is not None for code in codes):
        failed = any(codes)
        if policy == "Never" or (policy == "OnFailure" and not failed) or is_ending:
            return "Failed" if failed else "Succeeded"
    return "Running" if any(slot.container for slot in slots) else "Pending"


def _container_status(slot: Slot) -> JsonObject:
    container = slot.container
    is_running = "running" in slot.state
    status: JsonObject = {
        "name": slot.name,
        "image": slot.spec["image"],
        "imageID": f"sha256:{_digest(slot.spec['image'])}" if container else "",
        "state": slot.state,
        "lastState": slot.last_state if "terminated" not in slot.state else {},
        "ready": is_running and not slot.is_ephemeral,
        "restartCount": slot.restarts,
        "started": is_running,
    }
    if slot.is_ephemeral:
        del status["started"]
    if container:
        status["containerID"] = f"containerd://{container.id}"
    return status


def _digest(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def _conditions(status: JsonObject, unready: list[str], *, is_over: bool) -> list[JsonObject]:
    before = {item["type"]: item for item in status.get("conditions") or []}
    wanted: list[tuple[str, bool]] = [
        ("PodReadyToStartContainers", True),
        ("Initialized", True),
        ("Ready", not unready),
        ("ContainersReady", not unready),
        ("PodScheduled", True),
    ]
    conditions: list[JsonObject] = []
    for kind, is_true in wanted:
        condition: JsonObject = {
            "type": kind,
            "status": "True" if is_true else "False",
            "lastProbeTime": None,
            "lastTransitionTime": now(),
        }
        if not is_true and is_over:
            condition["reason"] = "PodCompleted"
        elif not is_true:
            condition["reason"] = "ContainersNotReady"
            condition["message"] = f"containers with unready status: [{' '.join(unready)}]"
        old = before.get(kind)
        if old and old["status"] == condition["status"]:
            condition["lastTransitionTime"] = old["lastTransitionTime"]
        conditions.append(condition)
    return conditions
