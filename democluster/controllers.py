"""Scheduler and controllers: what makes pods out of deployments and places them on nodes."""

from __future__ import annotations

import copy
from functools import partial

from democluster.defaults import complete_pod
from democluster.events import EventRecorder
from democluster.objects import (
    JsonObject,
    is_owned_by,
    now,
    owner_reference,
    random_suffix,
    template_hash,
)
from democluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    STORED,
    Resource,
)
from democluster.store import Key, Store, oldest_first

REVISION = "deployment.kubernetes.io/revision"
KEPT_REPLICA_SETS = 10
"""Old replica sets that a deployment keeps, like the default of revisionHistoryLimit."""


class Controllers:
    """Everything that reconciles objects with objects. One pass per change of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scheduler_events = EventRecorder(store, "default-scheduler")
        self._turn = 0

    async def run(self) -> None:
        """Reconcile after every change, as long as the program lives."""
        while True:
            changed = self._store.changed
            self.reconcile()
            await changed.wait()

    def reconcile(self) -> None:
        """Do one pass over everything."""
        for deployment in self._store.list(DEPLOYMENTS):
            self._reconcile_deployment(deployment)
        for replica_set in self._store.list(REPLICA_SETS):
            self._reconcile_replica_set(replica_set)
        for daemon_set in self._store.list(DAEMON_SETS):
            self._reconcile_daemon_set(daemon_set)
        self._collect_garbage()
        self._empty_namespaces()
        self._schedule()

    def _reconcile_deployment(self, deployment: JsonObject) -> None:
        owned = [item for item in self._store.list(REPLICA_SETS) if is_owned_by(item, deployment)]
        hashed = template_hash(deployment["spec"]["template"])
        wanted = deployment["spec"]["replicas"]
        current = next((item for item in owned if _hash_of(item) == hashed), None)
        if current is None:
            current = self._make_replica_set(deployment, hashed, owned)
            owned.append(current)
        old = [item for item in owned if item is not current]
        self._scale(current, wanted)
        if current.get("status", {}).get("readyReplicas", 0) >= wanted:
            for item in old:
                self._scale(item, 0)
            for item in oldest_first(old)[: max(0, len(old) - KEPT_REPLICA_SETS)]:
                self._store.delete(REPLICA_SETS, _key(item))
        self._publish_deployment(deployment, owned, current)

    def _make_replica_set(
        self, deployment: JsonObject, hashed: str, owned: list[JsonObject]
    ) -> JsonObject:
        metadata = deployment["metadata"]
        template = copy.deepcopy(deployment["spec"]["template"])
        labels = template["metadata"].setdefault("labels", {})
        labels["pod-template-hash"] = hashed
        revisions = [int(item["metadata"]["annotations"][REVISION]) for item in owned]
        selector = copy.deepcopy(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})["pod-template-hash"] = hashed
        return self._store.create(
            REPLICA_SETS,
            {
                "metadata": {
                    "name": f"{metadata['name']}-{hashed}",
                    "namespace": metadata["namespace"],
                    "labels": dict(labels),
                    "annotations": {REVISION: str(max(revisions, default=0) + 1)},
                    "ownerReferences": [owner_reference(deployment)],
                    "generation": 1,
                },
                "spec": {
                    "replicas": deployment["spec"]["replicas"],
                    "selector": selector,
                    "template": template,
                },
                "status": {"replicas": 0},
            },
        )

    def _publish_deployment(
        self, deployment: JsonObject, owned: list[JsonObject], current: JsonObject
    ) -> None:
        counts = [item.get("status", {}) for item in owned]
        ready = sum(count.get("readyReplicas", 0) for count in counts)
        total = sum(count.get("replicas", 0) for count in counts)
        wanted = deployment["spec"]["replicas"]
        updated = current.get("status", {}).get("replicas", 0)
        before = deployment.get("status", {})
        status: JsonObject = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": total,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "conditions": _deployment_conditions(
                before, available=ready >= wanted, done=ready >= wanted and total == updated
            ),
        }
        if ready < wanted:
            status["unavailableReplicas"] = wanted - ready

        def change(item: JsonObject) -> None:
            item["status"] = status
            annotations = item["metadata"].setdefault("annotations", {})
            annotations[REVISION] = current["metadata"]["annotations"][REVISION]

        self._store.update(DEPLOYMENTS, _key(deployment), change)

    def _scale(self, replica_set: JsonObject, replicas: int) -> None:
        def change(item: JsonObject) -> None:
            item["spec"]["replicas"] = replicas

        self._store.update(REPLICA_SETS, _key(replica_set), change)

    def _reconcile_replica_set(self, replica_set: JsonObject) -> None:
        pods = self._pods_of(replica_set)
        wanted = replica_set["spec"]["replicas"]
        for _ in range(wanted - len(pods)):
            self._make_pod(replica_set, {})
        # The youngest and those that do not run yet go first.
        surplus = sorted(oldest_first(pods), key=lambda pod: not _is_ready(pod))[wanted:]
        for pod in surplus:
            delete_pod(self._store, pod)
        pods = self._pods_of(replica_set)
        ready = sum(1 for pod in pods if _is_ready(pod))
        status: JsonObject = {"replicas": len(pods), "fullyLabeledReplicas": len(pods)}
        if ready:
            status |= {"readyReplicas": ready, "availableReplicas": ready}

        def change(item: JsonObject) -> None:
            status["observedGeneration"] = item["metadata"].get("generation", 1)
            item["status"] = status

        self._store.update(REPLICA_SETS, _key(replica_set), change)

    def _reconcile_daemon_set(self, daemon_set: JsonObject) -> None:
        pods = self._pods_of(daemon_set)
        nodes = [node["metadata"]["name"] for node in self._store.list(NODES)]
        for node in nodes:
            if not any(pod["spec"].get("nodeName") == node for pod in pods):
                self._make_pod(daemon_set, {"nodeName": node})
        pods = self._pods_of(daemon_set)
        ready = sum(1 for pod in pods if _is_ready(pod))

        def change(item: JsonObject) -> None:
            item["status"] = {
                "observedGeneration": item["metadata"].get("generation", 1),
                "desiredNumberScheduled": len(nodes),
                "currentNumberScheduled": len(pods),
                "updatedNumberScheduled": len(pods),
                "numberMisscheduled": 0,
                "numberReady": ready,
                "numberAvailable": ready,
            }

        self._store.update(DAEMON_SETS, _key(daemon_set), change)

    def _make_pod(self, owner: JsonObject, spec: JsonObject) -> None:
        template = owner["spec"]["template"]
        prefix = f"{owner['metadata']['name']}-"
        pod: JsonObject = {
            "metadata": {
                "generateName": prefix,
                "name": prefix + random_suffix(),
                "namespace": owner["metadata"]["namespace"],
                "labels": dict(template["metadata"].get("labels") or {}),
                "ownerReferences": [owner_reference(owner)],
            },
            "spec": copy.deepcopy(template["spec"]) | spec,
        }
        if annotations := template["metadata"].get("annotations"):
            pod["metadata"]["annotations"] = dict(annotations)
        complete_pod(pod)
        self._store.create(PODS, pod)

    def _pods_of(self, owner: JsonObject) -> list[JsonObject]:
        return [
            pod
            for pod in self._store.list(PODS, owner["metadata"]["namespace"])
            if is_owned_by(pod, owner)
            and not pod["metadata"].get("deletionTimestamp")
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]

    def _collect_garbage(self) -> None:
        """Remove what has an owner that is gone."""
        for resource in (REPLICA_SETS, PODS):
            for item in self._store.list(resource):
                if item["metadata"].get("deletionTimestamp"):
                    continue
                for reference in item["metadata"].get("ownerReferences") or []:
                    if not self._exists(item["metadata"]["namespace"], reference):
                        remove(self._store, resource, item)
                        break

    def _exists(self, namespace: str, reference: JsonObject) -> bool:
        kinds = {item.kind: item for item in (DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS)}
        resource = kinds.get(reference["kind"])
        if resource is None:
            return True
        owner = self._store.find(resource, namespace, reference["name"])
        return owner is not None and owner["metadata"]["uid"] == reference["uid"]

    def _empty_namespaces(self) -> None:
        for namespace in self._store.list(NAMESPACES):
            if not namespace["metadata"].get("deletionTimestamp"):
                continue
            name, left = namespace["metadata"]["name"], False
            for resource in STORED:
                if not resource.namespaced:
                    continue
                for item in self._store.list(resource, name):
                    remove(self._store, resource, item)
                left = left or bool(self._store.list(resource, name))
            if not left:
                self._store.delete(NAMESPACES, ("", name))

    def _schedule(self) -> None:
        nodes = [node["metadata"]["name"] for node in self._store.list(NODES)]
        for pod in oldest_first(self._store.list(PODS)):
            if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
                continue
            selector = pod["spec"].get("nodeSelector") or {}
            asked = selector.get("kubernetes.io/hostname")
            if asked and asked not in nodes:
                continue
            node = asked or nodes[self._turn % len(nodes)]
            self._turn += 1
            placed = self._store.update(PODS, _key(pod), partial(_place, node=node))
            message = f"Successfully assigned {'/'.join(_key(pod))} to {node}"
            self._scheduler_events.record(placed, "Scheduled", message)


def delete_pod(store: Store, pod: JsonObject, grace_seconds: int | None = None) -> JsonObject:
    """Ask a pod to end; its node removes it then. Without a node or a grace it goes at once."""
    if grace_seconds is None:
        grace_seconds = int(pod["spec"].get("terminationGracePeriodSeconds", 30))
    if not pod["spec"].get("nodeName") or grace_seconds <= 0:
        return store.delete(PODS, _key(pod))

    def change(item: JsonObject) -> None:
        if "deletionTimestamp" not in item["metadata"]:
            item["metadata"]["deletionTimestamp"] = now()
            item["metadata"]["deletionGracePeriodSeconds"] = grace_seconds

    return store.update(PODS, _key(pod), change)


def remove(store: Store, resource: Resource, item: JsonObject) -> JsonObject:
    """Delete an object: pods and namespaces end first, everything else goes at once."""
    if resource is PODS:
        return delete_pod(store, item)
    if resource is NAMESPACES:
        return store.update(NAMESPACES, _key(item), _terminate)
    return store.delete(resource, _key(item))


def _terminate(namespace: JsonObject) -> None:
    namespace["metadata"].setdefault("deletionTimestamp", now())
    namespace["status"]["phase"] = "Terminating"


def _place(pod: JsonObject, node: str) -> None:
    pod["spec"]["nodeName"] = node
    pod["status"]["conditions"] = [
        {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": now(),
        }
    ]


def _is_ready(pod: JsonObject) -> bool:
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod["status"].get("conditions") or []
    )


def _hash_of(replica_set: JsonObject) -> str:
    return str(replica_set["metadata"]["labels"]["pod-template-hash"])


def _key(item: JsonObject) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _deployment_conditions(before: JsonObject, *, available: bool, done: bool) -> list[JsonObject]:
    old = {item["type"]: item for item in before.get("conditions") or []}
    conditions: list[JsonObject] = []
    for kind, is_true, reason in (
        ("Available", available, "MinimumReplicasAvailable" if available else "Unavailable"),
        ("Progressing", True, "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"),
    ):
        state = "True" if is_true else "False"
        same = old.get(kind)
        unchanged = same is not None and (same["status"], same["reason"]) == (state, reason)
        moment = now()
        conditions.append(
            same
            if unchanged and same is not None
            else {
                "type": kind,
                "status": state,
                "reason": reason,
                "message": reason,
                "lastUpdateTime": moment,
                "lastTransitionTime": moment,
            }
        )
    return conditions
