"""What one person is shown of one cluster: pods filtered by grants, with may and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from access.actions import Action
from access.cluster_rights import Verdict
from access.policy import Rights
from protocol.reason import Reason, ReasonCode
from protocol.target import Target
from targets.ports import Container, Pod

ACTIONS = (Action.EXEC, Action.ATTACH, Action.DEBUG)
"""What the tree offers on a container."""

Verdicts = Mapping[tuple[str, Action], Verdict]
"""What the cluster says, for each namespace and action."""
PodMessage = dict[str, Any]


def namespaces_of(pods: Iterable[Pod]) -> set[str]:
    """Return the namespaces of these pods."""
    return {pod.namespace for pod in pods}


def describe_pod(
    cluster: str, pod: Pod, *, rights: Rights, verdicts: Verdicts
) -> PodMessage | None:
    """Return the pod as docs/protocol.md has it, or None if the person may not see it."""
    containers = [
        _describe_container(target, pod, container, rights=rights, verdicts=verdicts)
        for container in pod.containers
        if rights.sees_container(
            target := Target(cluster, pod.namespace, pod.name, container.name), pod.labels
        )
    ]
    if not containers:
        return None
    workload = pod.workload
    return {
        "uid": pod.uid,
        "namespace": pod.namespace,
        "name": pod.name,
        "node": pod.node,
        "phase": pod.phase,
        "status": pod.status,
        "ready": pod.ready,
        "total": pod.total,
        "restarts": pod.restarts,
        "created": pod.created,
        "labels": dict(pod.labels),
        "workload": {"kind": workload.kind, "name": workload.name} if workload else None,
        "containers": containers,
    }


def _describe_container(
    target: Target, pod: Pod, container: Container, *, rights: Rights, verdicts: Verdicts
) -> dict[str, Any]:
    why: dict[str, str] = {}
    because: dict[str, Any] = {}
    for action in ACTIONS:
        refusal = _refusal(action, target, pod, container, rights, verdicts)
        if refusal is not None:
            why[action.value] = refusal.reason
            if refusal.because is not None:
                because[action.value] = refusal.because.to_wire()
    return {
        "name": container.name,
        "image": container.image,
        "type": container.type,
        "state": container.state,
        "ready": container.ready,
        "restarts": container.restarts,
        "reason": container.reason,
        "exit_code": container.exit_code,
        "started": container.started,
        "tty": container.tty,
        "stdin": container.stdin,
        "may": [action.value for action in ACTIONS if action.value not in why],
        "why": why,
        "because": because,
    }


def _refusal(
    action: Action,
    target: Target,
    pod: Pod,
    container: Container,
    rights: Rights,
    verdicts: Verdicts,
) -> Verdict | None:
    """Return why the person may not, or None."""
    decision = rights.decide(action, target, pod.labels)
    if decision.because is not None:
        return Verdict.denied(decision.because)
    verdict = verdicts.get((pod.namespace, action))
    if verdict is not None and not verdict.allowed:
        return verdict
    if action is Action.DEBUG and container.type == "ephemeral":
        return Verdict.denied(Reason(ReasonCode.IS_DEBUG_CONTAINER))
    if action is Action.DEBUG and pod.phase != "Running":
        return Verdict.denied(Reason(ReasonCode.POD_NOT_RUNNING))
    if action is not Action.DEBUG and container.state != "running":
        return Verdict.denied(
            Reason.of(ReasonCode.CONTAINER_IN_STATE, word=container.reason)
            if container.reason
            else Reason(ReasonCode.CONTAINER_NOT_RUNNING)
        )
    return None
