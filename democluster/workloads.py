"""What is in the demo cluster: namespaces, deployments and pods worth opening a terminal in."""

from __future__ import annotations

from pathlib import Path

from democluster.defaults import complete_pod
from democluster.objects import JsonObject
from democluster.resources import (
    CONFIG_MAPS,
    DAEMON_SETS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from democluster.roles import roles
from democluster.scripts import SCRIPTS
from democluster.store import Store

NODES = ("demo-1", "demo-2")
NAMESPACE_NAMES = ("default", "kube-system", "platform", "shop", "vault")
TASKS = "/var/log/tasks"
"""Where the task runner writes on its node: a directory per task."""


def fill(store: Store) -> None:
    """Create everything that the cluster starts with."""
    for name in NAMESPACE_NAMES:
        labels = {"kubernetes.io/metadata.name": name}
        store.create(
            NAMESPACES,
            {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}},
        )
        store.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": name}})
    for resource, body in roles():
        store.create(resource, body)
    store.create(
        CONFIG_MAPS,
        {
            "metadata": {"name": "motd", "namespace": "shop"},
            "data": {"motd": "These containers are processes of this machine.\n"},
        },
    )
    _deployments(store)
    _pods(store)


def fill_node(directory: Path, name: str) -> None:
    """Write files that each node has of its own."""
    log = directory / "var/log"
    log.mkdir(parents=True, exist_ok=True)
    (log / "node.log").write_text(
        f"node {name} joined the demo cluster\n"
        f"node {name} has its own /var/log: this file differs from node to node\n"
    )
    (directory / "etc").mkdir(exist_ok=True)
    (directory / "etc/hostname").write_text(name + "\n")


def _deployments(store: Store) -> None:
    web = _container("web", "docker.io/library/nginx:1.29", "web")
    _deployment(store, "shop", "web", 3, [web])
    _deployment(store, "shop", "worker", 1, [_container("worker", "dispatcher:2.3", "worker")])
    _deployment(store, "shop", "payments", 1, [_container("payments", "payments:0.9", "payments")])
    catalog = _container("catalog", "catalog:4.1", "catalog")
    cache = _container("cache", "docker.io/library/busybox:1.37", "cache")
    _deployment(store, "shop", "catalog", 1, [catalog, cache])
    runner = _container("runner", "runner:1.6", "runner")
    runner["volumeMounts"] = [{"name": "tasks", "mountPath": "/tasks"}]
    _deployment(store, "platform", "runner", 1, [runner], volume=("tasks", TASKS))
    agent = _container("agent", "docker.io/library/busybox:1.37", "agent")
    agent["volumeMounts"] = [{"name": "log", "mountPath": "/node/var/log", "readOnly": True}]
    agent["env"] = [
        {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    ]
    store.create(
        DAEMON_SETS,
        {
            "metadata": {"name": "node-agent", "namespace": "platform", "generation": 1},
            "spec": _workload_spec("node-agent", [agent], ("log", "/var/log")),
            "status": {},
        },
    )
    store.create(
        SERVICES,
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "10.96.12.7",
                "selector": {"app": "web"},
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
            },
        },
    )


def _pods(store: Store) -> None:
    _pod(
        store, "vault", "ledger", {"name": "ledger", "image": "ledger:3.0", "command": ["/ledger"]}
    )
    _pod(store, "default", "greeter", _container("greeter", "greeter:8.8", "greeter"))
    console = {
        "name": "console",
        "image": "docker.io/library/debian:bookworm",
        "command": ["bash"],
        "stdin": True,
        "tty": True,
    }
    _pod(store, "default", "console", console)


def _container(name: str, image: str, script: str) -> JsonObject:
    return {"name": name, "image": image, "command": ["sh", "-c", SCRIPTS[script]]}


def _deployment(
    store: Store,
    namespace: str,
    name: str,
    replicas: int,
    containers: list[JsonObject],
    volume: tuple[str, str] | None = None,
) -> None:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}, "generation": 1}
    spec = {"replicas": replicas} | _workload_spec(name, containers, volume)
    store.create(DEPLOYMENTS, {"metadata": metadata, "spec": spec, "status": {}})


def _workload_spec(
    name: str, containers: list[JsonObject], volume: tuple[str, str] | None
) -> JsonObject:
    spec: JsonObject = {"containers": containers, "terminationGracePeriodSeconds": 1}
    if volume:
        spec["volumes"] = [{"name": volume[0], "hostPath": {"path": volume[1]}}]
    return {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
    }


def _pod(store: Store, namespace: str, name: str, container: JsonObject) -> None:
    pod: JsonObject = {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    complete_pod(pod)
    store.create(PODS, pod)
