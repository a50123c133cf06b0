"""Ties the terminal app to Kubernetes: adapters for its ports, and this process's host."""

from __future__ import annotations

import asyncio

from django.conf import settings

from config.backends import Backends
from kube.processes import ContainerGone, NotGuaranteed, ProcessesEnded, ProcessReaper
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target
from terminal.hosting import Hosting, new_host_name
from terminal.screen.house import ScreenHouse
from terminal.session.launch import MARKER_VARIABLE
from terminal.session.limits import Limits
from terminal.session.ports import Effort, Reaped
from terminal.wiring import Wiring, install

REAPS_AT_ONCE = 4
"""Second execs at the same time: 200 at once were seen to jam a node's container runtime. The rest
wait for their turn; whoever waits too long is tried again by the host's heartbeat."""


class KubeReaper:
    """The session core's Reaper over a second exec into the container."""

    def __init__(self, processes: ProcessReaper) -> None:
        self._processes = processes
        self._turns = asyncio.Semaphore(REAPS_AT_ONCE)

    async def reap(
        self, target: Target, identity: Identity, *, uid: str, container_id: str, marker: str
    ) -> Reaped:
        """End every process that carries the marker. Does not raise for what the cluster says."""
        try:
            async with self._turns:
                report = await self._processes.end_marked(
                    target,
                    identity,
                    f"{MARKER_VARIABLE}={marker}",
                    pod_uid=uid,
                    container_id=container_id,
                )
        except StreamRefused as refused:
            return Reaped(0, 0, guaranteed=False, note=refused.message)
        match report:
            case ProcessesEnded():
                return Reaped(report.found, report.left, leader_alive=report.leader)
            case ContainerGone():
                return Reaped(0, 0)
            case NotGuaranteed(reason):
                return Reaped(0, 0, guaranteed=False, note=reason)


def build_hosting(kubernetes: Backends, effort: Effort) -> Hosting:
    """Return this process's hosting, and make it known to the terminal app.

    Hold `hosting.serving` open for as long as the process serves.
    """
    backend, rights = kubernetes.exec_backend, kubernetes.rights
    reaper = KubeReaper(kubernetes.reaper)
    limits = Limits(
        detach_grace_seconds=settings.HATCHWAY_DETACH_GRACE_SECONDS,
        idle_seconds=settings.HATCHWAY_IDLE_SECONDS,
        max_seconds=settings.HATCHWAY_MAX_SECONDS,
    )
    hosting = Hosting(
        name=new_host_name(),
        backend=backend,
        reaper=reaper,
        rights=rights,
        screens=ScreenHouse,
        effort=effort,
        limits=limits,
    )
    install(
        Wiring(
            backend=backend,
            reaper=reaper,
            rights=rights,
            limits=limits,
            sessions_per_person=settings.HATCHWAY_SESSIONS_PER_PERSON,
            host_name=hosting.name,
            host=hosting.host,
        )
    )
    return hosting
