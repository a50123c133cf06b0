"""Ending what a session started in its container, and in the one that took its place."""

from __future__ import annotations

import asyncio
import logging

from protocol.execution import PodFacts
from protocol.refusal import StreamRefused
from terminal.session import limits
from terminal.session.ports import ExecBackend, Reaped, Reaper
from terminal.session.spec import SessionSpec

log = logging.getLogger(__name__)


async def sweep(spec: SessionSpec, reaper: Reaper, pod: PodFacts) -> Reaped:
    """End what carries the session's marker in its container of this pod, within REAP_SECONDS."""
    try:
        async with asyncio.timeout(limits.REAP_SECONDS):
            return await reaper.reap(
                spec.target,
                spec.identity,
                uid=pod.uid,
                container_id=pod.container_id,
                marker=spec.marker,
            )
    except TimeoutError:
        return Reaped(0, 0, guaranteed=False, note="The cluster did not answer in time.")
    except Exception as error:
        log.exception("session %s: its processes could not be ended", spec.id)
        return Reaped(0, 0, guaranteed=False, note=f"Failed inside Hatchway: {error!r}")


async def sweep_successor(spec: SessionSpec, reaper: Reaper, backend: ExecBackend) -> Reaped | None:
    """End what was started in the container that took the name of the authorised one before the
    stream was opened: a stream is opened by name, and what it starts outlives it.

    Returns None when there is no such container, or nobody can tell.
    """
    try:
        async with asyncio.timeout(limits.INSPECT_SECONDS):
            pod = await backend.inspect(spec.target, spec.identity)
    except (StreamRefused, TimeoutError) as error:
        log.warning("session %s: its successor was not searched: %r", spec.id, error)
        return None
    return await sweep(spec, reaper, pod) if pod.container_running else None
