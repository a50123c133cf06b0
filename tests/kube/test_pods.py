"""What is kept of a pod, and the word that kubectl would print for it."""

from __future__ import annotations

from typing import Any

import pytest

from kube.pods import Workload, pod_facts, pod_view, printed_status
from protocol.execution import Refusal
from protocol.refusal import StreamRefused
from tests.kube.apiserver import pod

WAITING: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff"}}
RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-11-21T09:00:00Z"}}


def ended(code: int, reason: str = "", signal: int = 0) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "signal": signal}}


def container(
    state: dict[str, Any],
    *,
    name: str = "main",
    ready: bool = False,
    restarts: int = 0,
    **more: Any,
) -> dict[str, Any]:
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts} | more


def made(
    *statuses: dict[str, Any],
    init: tuple[dict[str, Any], ...] = (),
    sidecars: tuple[str, ...] = (),
    phase: str = "Running",
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    item = pod("p", phase=phase)
    item["spec"]["containers"] = [{"name": found["name"]} for found in statuses] or [{"name": "m"}]
    item["spec"]["initContainers"] = [
        {"name": found["name"]} | ({"restartPolicy": "Always"} if found["name"] in sidecars else {})
        for found in init
    ]
    item["status"] |= {"containerStatuses": list(statuses), "initContainerStatuses": list(init)}
    item["status"] |= status
    if deleted:
        item["metadata"]["deletionTimestamp"] = "2026-11-21T09:00:00Z"
    return item


READY = [{"type": "Ready", "status": "True"}]
INITIALIZED = [{"type": "Initialized", "status": "True"}]


@pytest.mark.parametrize(
    ("item", "word", "ready", "total", "restarts"),
    [
        (made(container(RUNNING, ready=True)), "Running", 1, 1, 0),
        (made(phase="Pending"), "Pending", 0, 1, 0),
        (made(container({"waiting": {"reason": "ContainerCreating"}}), phase="Pending"),
         "ContainerCreating", 0, 1, 0),
        (made(container(WAITING, restarts=4)), "CrashLoopBackOff", 0, 1, 4),
        (made(container(ended(1, "Error"))), "Error", 0, 1, 0),
        (made(container(ended(0, "Completed")), phase="Succeeded"), "Completed", 0, 1, 0),
        (made(container(ended(137))), "ExitCode:137", 0, 1, 0),
        (made(container(ended(137, signal=9))), "Signal:9", 0, 1, 0),
        (made(container(ended(0, "Completed")), container(RUNNING, name="b", ready=True),
              conditions=READY), "Running", 1, 2, 0),
        (made(container(ended(0, "Completed")), container(RUNNING, name="b", ready=True)),
         "NotReady", 1, 2, 0),
        (made(container(RUNNING, ready=True), deleted=True), "Terminating", 1, 1, 0),
        (made(container(ended(0, "Completed")), phase="Succeeded", deleted=True),
         "Completed", 0, 1, 0),
        (made(container(RUNNING, ready=True), deleted=True, reason="NodeLost"), "Unknown", 1, 1, 0),
        (made(phase="Failed", reason="Evicted"), "Evicted", 0, 1, 0),
        (made(phase="Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}]),
         "SchedulingGated", 0, 1, 0),
        (made(container({"waiting": {"reason": "PodInitializing"}}),
              init=(container(RUNNING, name="i"), container({}, name="j")), phase="Pending"),
         "Init:0/2", 0, 1, 0),
        (made(init=(container(ended(0), name="i"),
                    container({"waiting": {"reason": "PodInitializing"}}, name="j")),
              phase="Pending"), "Init:1/2", 0, 1, 0),
        (made(init=(container(ended(1, "Error"), name="i", restarts=2),), phase="Pending"),
         "Init:Error", 0, 1, 2),
        (made(init=(container(ended(3), name="i"),), phase="Pending"), "Init:ExitCode:3", 0, 1, 0),
        (made(init=(container(WAITING, name="i", restarts=5),), phase="Pending"),
         "Init:CrashLoopBackOff", 0, 1, 5),
        (made(container(RUNNING, ready=True, restarts=1),
              init=(container(ended(0), name="i", restarts=7),)), "Running", 1, 1, 1),
        (made(container(RUNNING, ready=True),
              init=(container(RUNNING, name="side", ready=True, restarts=3, started=True),),
              sidecars=("side",)), "Running", 2, 2, 3),
        (made(container(RUNNING, ready=True), init=(container(RUNNING, name="i"),),
              conditions=INITIALIZED), "Init:0/1", 1, 1, 0),
    ],
)  # fmt: skip
def test_the_word_is_kubectls(
    item: dict[str, Any], word: str, ready: int, total: int, restarts: int
) -> None:
    assert printed_status(item) == (word, ready, total, restarts)


@pytest.mark.parametrize(
    ("owner", "labels", "workload"),
    [
        (None, {}, None),
        (("ReplicaSet", "web-5d9f"), {"pod-template-hash": "5d9f"}, Workload("Deployment", "web")),
        (("ReplicaSet", "bare"), {}, Workload("ReplicaSet", "bare")),
        (("StatefulSet", "db"), {}, Workload("StatefulSet", "db")),
        (("Job", "report-29391840"), {}, Workload("CronJob", "report")),
        (("Job", "once"), {}, Workload("Job", "once")),
    ],
)
def test_the_workload_is_found_through_the_owner(
    owner: tuple[str, str] | None, labels: dict[str, str], workload: Workload | None
) -> None:
    item = pod("p")
    item["metadata"]["labels"] = labels
    if owner:
        item["metadata"]["ownerReferences"] = [
            {"kind": "Node", "name": "n"},
            {"kind": owner[0], "name": owner[1], "controller": True},
        ]

    assert pod_view(item).workload == workload


def test_containers_of_every_type_are_kept() -> None:
    item = made(
        container(RUNNING, ready=True, containerID="containerd://1"),
        init=(container(ended(2, "Error"), name="i", restarts=1),),
    )
    item["spec"]["containers"][0] |= {"tty": True, "stdin": True, "image": "img:1"}
    item["spec"]["ephemeralContainers"] = [{"name": "debug"}]

    main, init, debug = pod_view(item).containers

    assert (main.type, main.state, main.ready, main.tty, main.stdin) == (
        "main", "running", True, True, True,
    )  # fmt: skip
    assert (main.image, main.started) == ("img:1", "2026-11-21T09:00:00Z")
    assert (init.type, init.state, init.reason, init.exit_code) == (
        "init",
        "terminated",
        "Error",
        2,
    )
    assert (debug.type, debug.state, debug.started) == ("ephemeral", "waiting", None)


def test_a_pod_of_which_nothing_is_known_yet_breaks_nothing() -> None:
    view = pod_view({"metadata": {"name": "p"}, "spec": None, "status": {}})

    assert (view.name, view.status, view.containers) == ("p", "", ())


def test_facts_are_about_one_container() -> None:
    item = made(
        container(RUNNING, containerID="containerd://1"),
        container(ended(137, "OOMKilled"), name="other"),
    )

    running, dead = pod_facts(item, "main"), pod_facts(item, "other")

    assert (running.uid, running.node, running.container_running) == ("uid-p", "node-1", True)
    assert (running.reason, running.exit_code) == ("", None)
    assert (dead.container_running, dead.reason, dead.exit_code) == (False, "OOMKilled", 137)
    with pytest.raises(StreamRefused) as caught:
        pod_facts(item, "nope")
    assert caught.value.refused.kind is Refusal.CONTAINER_NOT_FOUND
