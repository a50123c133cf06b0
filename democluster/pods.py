"""The life of one pod on its node: containers started, restarted with back-off, ended."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from democluster.children import Children
from democluster.container import Container, Place
from democluster.events import EventRecorder
from democluster.images import CommandNotStarted, ImageStore
from democluster.logs import ContainerLog
from democluster.objects import JsonObject, now, parse_time
from democluster.podstatus import Slot, pod_status
from democluster.resources import PODS
from democluster.store import Store

FIRST_RESTART_SECONDS = 1.0
BACK_OFF_SECONDS = 10.0
"""Wait before the second restart; it doubles with each further one."""

MAX_BACK_OFF_SECONDS = 300.0
CALM_SECONDS = 600.0
"""A container that ran this long starts its back-off from the beginning."""


@dataclass(frozen=True, slots=True)
class Machinery:
    """What every pod of a node shares."""

    store: Store
    children: Children
    images: ImageStore
    events: EventRecorder
    node: str
    node_directory: Path


class PodRun:
    """A pod that was given to a node. `run` lives as long as the pod."""

    def __init__(self, pod: JsonObject, pod_ip: str, machinery: Machinery) -> None:
        self._pod = pod
        self._machinery = machinery
        self._ip = pod_ip
        self._started_at = now()
        self._grace: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._new_slots: asyncio.Queue[Slot] = asyncio.Queue()
        self._volumes = {
            volume["name"]: volume["hostPath"]["path"]
            for volume in pod["spec"].get("volumes") or []
            if "hostPath" in volume
        }
        self.slots = {spec["name"]: Slot(spec) for spec in pod["spec"]["containers"]}

    def notice(self, pod: JsonObject) -> None:
        """Take over what the API server changed: new ephemeral containers, a wanted end."""
        for spec in pod["spec"].get("ephemeralContainers") or []:
            if spec["name"] not in self.slots:
                slot = Slot(spec, is_ephemeral=True)
                self.slots[slot.name] = slot
                self._new_slots.put_nowait(slot)
        if pod["metadata"].get("deletionTimestamp"):
            self.end(pod["metadata"].get("deletionGracePeriodSeconds", 0))

    def end(self, grace_seconds: float) -> None:
        """Ask the pod to end within that time."""
        if not self._grace.done():
            self._grace.set_result(grace_seconds)

    async def run(self) -> None:
        """Run the pod until it is ended, then remove everything of it. Cancellation kills it."""
        self._publish()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._keep(slot)) for slot in self.slots.values()]
                starter = group.create_task(self._start_ephemeral(group, tasks))
                grace = await self._grace
                starter.cancel()
                await self._stop(grace)
                for task in tasks:
                    task.cancel()
        finally:
            self._remove_files()
        self._forget()

    async def _start_ephemeral(
        self, group: asyncio.TaskGroup, tasks: list[asyncio.Task[None]]
    ) -> None:
        while True:
            slot = await self._new_slots.get()
            self._publish()
            tasks.append(group.create_task(self._keep(slot)))

    async def _keep(self, slot: Slot) -> None:
        """Run one container as often as the pod's restart policy wants."""
        delay = 0.0
        policy = "Never" if slot.is_ephemeral else self._pod["spec"]["restartPolicy"]
        while await self._run_once(slot):
            ended = slot.state["terminated"]
            code: int = ended["exitCode"]
            if policy == "Never" or (policy == "OnFailure" and code == 0) or self._grace.done():
                return
            ran = parse_time(ended["finishedAt"]) - parse_time(ended["startedAt"])
            delay = _next_delay(delay, ran.total_seconds())
            if delay > FIRST_RESTART_SECONDS:
                self._back_off(slot, delay)
            await asyncio.sleep(delay)
            slot.restarts += 1

    async def _run_once(self, slot: Slot) -> bool:
        """Run one container once; return False if its image cannot be had."""
        machinery, spec = self._machinery, slot.spec
        image = machinery.images.find(spec["image"])
        if image is None:
            self._fail_pull(slot)
            return False
        machinery.events.record(
            self._pod,
            "Pulled",
            f'Container image "{spec["image"]}" already present on machine',
            container=slot.name,
        )
        if slot.previous_log is not None:
            slot.previous_log.delete()
        slot.previous_log = slot.log
        log = slot.log = ContainerLog(self._log_directory(slot.name) / f"{slot.restarts}.log")
        try:
            container = Container(spec, image, self._place(slot.name), log, machinery.children)
        except (CommandNotStarted, OSError) as error:
            self._fail_start(slot, error)
            return True
        slot.container = container
        slot.state = {"running": {"startedAt": container.started_at}}
        machinery.events.record(self._pod, "Created", "Container created", container=slot.name)
        machinery.events.record(self._pod, "Started", "Container started", container=slot.name)
        self._publish()
        code = await container.run()
        self._note_end(slot, code, container.started_at, container.id)
        self._publish()
        return True

    async def _stop(self, grace_seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            for slot in self.slots.values():
                if slot.container is not None and slot.container.is_running:
                    self._machinery.events.record(
                        self._pod,
                        "Killing",
                        f"Stopping container {slot.name}",
                        container=slot.name,
                    )
                    group.create_task(slot.container.stop(grace_seconds))

    def _note_end(self, slot: Slot, code: int, started_at: str, identifier: str) -> None:
        slot.state = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "startedAt": started_at,
                "finishedAt": now(),
                "containerID": f"containerd://{identifier}",
            }
        }
        if not slot.is_ephemeral:
            slot.last_state = dict(slot.state)

    def _back_off(self, slot: Slot, delay: float) -> None:
        pod = f"{self._pod['metadata']['name']}_{self._pod['metadata']['namespace']}"
        uid = self._pod["metadata"]["uid"]
        message = f"restarting failed container={slot.name} pod={pod}({uid})"
        slot.state = {
            "waiting": {
                "reason": "CrashLoopBackOff",
                "message": f"back-off {_duration(delay)} {message}",
            }
        }
        self._machinery.events.record(
            self._pod,
            "BackOff",
            f"Back-off {message}",
            container=slot.name,
            bad=True,
        )
        self._publish()

    def _fail_pull(self, slot: Slot) -> None:
        image = slot.spec["image"]
        if slot.spec.get("imagePullPolicy") == "Never":
            reason = "ErrImageNeverPull"
            message = f'Container image "{image}" is not present with pull policy of Never'
        else:
            reason = "ImagePullBackOff"
            message = f'Back-off pulling image "{image}": not found'
        slot.state = {"waiting": {"reason": reason, "message": message}}
        self._machinery.events.record(self._pod, "Failed", message, container=slot.name, bad=True)
        self._publish()

    def _fail_start(self, slot: Slot, error: Exception) -> None:
        assert slot.log is not None
        slot.log.complete()
        moment = now()
        slot.state = {
            "terminated": {
                "exitCode": 128,
                "reason": "StartError",
                "message": f"failed to start containerd task: OCI runtime create failed: {error}",
                "startedAt": moment,
                "finishedAt": moment,
            }
        }
        slot.last_state = dict(slot.state)
        self._machinery.events.record(
            self._pod, "Failed", f"Error: {error}", container=slot.name, bad=True
        )
        self._publish()

    def _place(self, container: str) -> Place:
        metadata = self._pod["metadata"]
        return Place(
            metadata["name"],
            metadata["namespace"],
            self._machinery.node,
            self._ip,
            self._machinery.node_directory,
            self._directory() / container,
            self._volumes,
        )

    def _directory(self) -> Path:
        return self._machinery.node_directory / "containers" / str(self._pod["metadata"]["uid"])

    def _log_directory(self, container: str) -> Path:
        metadata = self._pod["metadata"]
        name = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        return self._machinery.node_directory / "var/log/pods" / name / container

    def _remove_files(self) -> None:
        for slot in self.slots.values():
            for log in (slot.log, slot.previous_log):
                if log is not None:
                    log.delete()
        shutil.rmtree(self._directory(), ignore_errors=True)
        shutil.rmtree(self._log_directory("x").parent, ignore_errors=True)

    def _publish(self) -> None:
        """Write the status of the pod, if it still exists."""
        metadata = self._pod["metadata"]
        key = (metadata["namespace"], metadata["name"])
        found = self._machinery.store.find(PODS, *key)
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            return

        def change(pod: JsonObject) -> None:
            pod["status"] = pod_status(
                pod,
                self.slots.values(),
                pod_ip=self._ip,
                started_at=self._started_at,
                is_ending=self._grace.done(),
            )

        self._pod = self._machinery.store.update(PODS, key, change)

    def _forget(self) -> None:
        metadata = self._pod["metadata"]
        key = (metadata["namespace"], metadata["name"])
        found = self._machinery.store.find(PODS, *key)
        if found is not None and found["metadata"]["uid"] == metadata["uid"]:
            self._machinery.store.delete(PODS, key)


def _next_delay(delay: float, ran_seconds: float) -> float:
    if delay == 0.0 or ran_seconds > CALM_SECONDS:
        return FIRST_RESTART_SECONDS
    if delay == FIRST_RESTART_SECONDS:
        return BACK_OFF_SECONDS
    return min(delay * 2, MAX_BACK_OFF_SECONDS)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
