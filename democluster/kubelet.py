"""The two nodes: each gives the pods that were scheduled to it a life."""

from __future__ import annotations

import asyncio
import logging
import platform
from pathlib import Path

from democluster.children import Children
from democluster.container import Container
from democluster.discovery import VERSION
from democluster.events import EventRecorder
from democluster.images import ImageStore
from democluster.objects import JsonObject, now
from democluster.pods import Machinery, PodRun
from democluster.podstatus import Slot
from democluster.resources import NODES, PODS
from democluster.store import Store

LOG = logging.getLogger(__name__)


class Kubelet:
    """One node. `run` lives as long as the program; its pods are its children."""

    def __init__(
        self,
        name: str,
        number: int,
        store: Store,
        children: Children,
        images: ImageStore,
        directory: Path,
    ) -> None:
        self._name = name
        self._number = number
        self._store = store
        self._pods: dict[str, PodRun] = {}
        self._addresses = 1
        directory.mkdir(parents=True, exist_ok=True)
        events = EventRecorder(store, "kubelet", name)
        self._machinery = Machinery(store, children, images, events, name, directory)
        store.create(NODES, _node(name, number))

    def slot(self, uid: str, container: str) -> Slot | None:
        """Return a container of a pod that this node knows."""
        run = self._pods.get(uid)
        return run.slots.get(container) if run else None

    def running(self, uid: str, container: str) -> Container | None:
        """Return the current run of a container, if it runs."""
        slot = self.slot(uid, container)
        found = slot.container if slot else None
        return found if found is not None and found.is_running else None

    async def run(self) -> None:
        """Follow the store: start what is scheduled here, end what was deleted."""
        async with asyncio.TaskGroup() as group:
            while True:
                changed = self._store.changed
                self._reconcile(group)
                await changed.wait()

    def _reconcile(self, group: asyncio.TaskGroup) -> None:
        here = {
            pod["metadata"]["uid"]: pod
            for pod in self._store.list(PODS)
            if pod["spec"].get("nodeName") == self._name
        }
        for uid, pod in here.items():
            run = self._pods.get(uid)
            if run is None and not pod["metadata"].get("deletionTimestamp"):
                run = PodRun(pod, self._next_address(), self._machinery)
                self._pods[uid] = run
                group.create_task(self._keep(uid, run))
            elif run is None:
                key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
                self._store.delete(PODS, key)
                continue
            run.notice(pod)
        for uid, run in self._pods.items():
            if uid not in here:
                run.end(0)

    async def _keep(self, uid: str, run: PodRun) -> None:
        try:
            await run.run()
        except* Exception:
            LOG.exception("a pod on %s failed", self._name)
        finally:
            del self._pods[uid]

    def _next_address(self) -> str:
        self._addresses = self._addresses % 250 + 1
        return f"10.244.{self._number}.{self._addresses}"


def _node(name: str, number: int) -> JsonObject:
    capacity = {"cpu": "2", "memory": "4194304Ki", "pods": "110"}
    about = platform.uname()
    return {
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": {"x86_64": "amd64"}.get(about.machine, about.machine),
            },
        },
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                    "lastHeartbeatTime": now(),
                    "lastTransitionTime": now(),
                }
            ],
            "nodeInfo": {
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "containerRuntimeVersion": "demo://1.0",
                "osImage": "Demo node (processes of this machine)",
                "kernelVersion": about.release,
                "operatingSystem": "linux",
                "architecture": about.machine,
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }
