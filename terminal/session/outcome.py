"""What the end of a stream means: from what the cluster said, and from what became of the pod."""

from __future__ import annotations

import asyncio
from typing import assert_never

from protocol.execution import (
    ExecResult,
    Exited,
    Lost,
    PodFacts,
    Refusal,
    Refused,
    StartFailed,
    Success,
)
from protocol.refusal import StreamRefused
from terminal.session import limits
from terminal.session.ending import Ending, EndReason
from terminal.session.ports import ExecBackend
from terminal.session.spec import Kind, SessionSpec

_KILLED = 137
"""128 + SIGKILL: what a stopped container's processes exit with."""


async def explain(result: ExecResult, spec: SessionSpec, backend: ExecBackend) -> Ending:
    """Return why the session ended. A container that is gone explains what the stream does not.

    An exec's unconfirmed success has `unconfirmed` in its data: whether it was one is known when
    it was seen that its processes are gone.
    """
    match result:
        case Refused(kind, message):
            return Ending(EndReason.REFUSED, message, data={"kind": kind.value})
        case StartFailed(failure, message):
            return Ending(EndReason.START_FAILED, message, data={"kind": failure.value})
        case Exited(code):
            gone = None
            if code == _KILLED or spec.kind is Kind.ATTACH:
                gone = await _look_again(spec, backend)
            return gone or Ending(EndReason.EXITED, _exit_sentence(spec.kind, code), code)
        case Success(confirmed):
            if spec.kind is Kind.ATTACH:
                return await _look_again(spec, backend) or Ending(
                    EndReason.EXITED, "The main process closed its output."
                )
            gone = None if confirmed else await missing_target(spec, backend)
            return gone or Ending(
                EndReason.EXITED,
                _exit_sentence(spec.kind, 0),
                0,
                {} if confirmed else {"unconfirmed": True},
            )
        case Lost():
            return await missing_target(spec, backend) or Ending(
                EndReason.LOST,
                "The connection to the cluster was lost; what was running was told to end.",
            )
        case _:
            assert_never(result)


async def missing_target(spec: SessionSpec, backend: ExecBackend) -> Ending | None:
    """Say that the container is gone, or None when it is there or nobody can tell."""
    try:
        async with asyncio.timeout(limits.INSPECT_SECONDS):
            pod = await backend.inspect(spec.target, spec.identity)
    except StreamRefused as refused:
        if refused.refused.kind in (Refusal.POD_NOT_FOUND, Refusal.CONTAINER_NOT_FOUND):
            return _gone("pod_deleted", "The pod was deleted.")
        return None
    except TimeoutError:
        return None
    if pod.uid != spec.pod.uid:
        return _gone("pod_replaced", "The pod was replaced by a new one of the same name.")
    if pod.container_id != spec.pod.container_id or not pod.container_running:
        return _gone(
            "container_restarted",
            f"The container ended or was restarted{_because(pod)}.",
            pod.exit_code,
        )
    return None


async def _look_again(spec: SessionSpec, backend: ExecBackend) -> Ending | None:
    for pause in limits.LOOK_AGAIN_SECONDS:
        await asyncio.sleep(pause)
        if (gone := await missing_target(spec, backend)) is not None:
            return gone
    return None


def _exit_sentence(kind: Kind, code: int) -> str:
    what = "shell" if kind is Kind.EXEC else "main process"
    if code == _KILLED:
        return f"The {what} was killed (exit code 137)."
    return f"The {what} ended with exit code {code}."


def _gone(why: str, message: str, exit_code: int | None = None) -> Ending:
    return Ending(EndReason.TARGET_GONE, message, exit_code, {"why": why})


def _because(pod: PodFacts) -> str:
    return f" ({pod.reason})" if pod.reason else ""
