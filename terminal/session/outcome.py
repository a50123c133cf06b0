"""What the end of a stream means: from what the cluster said, and from what became of the pod."""

from __future__ import annotations

import asyncio
from typing import Any, assert_never

from protocol.execution import (
    ExecResult,
    Exited,
    Lost,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.reason import Reason, ReasonCode
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
            because = result.reason.to_wire()
            return Ending(EndReason.REFUSED, message, data={"kind": kind.value, "because": because})
        case StartFailed(failure, message):
            data: dict[str, Any] = {"kind": failure.value}
            if failure is StartFailure.OTHER:
                data["because"] = Reason.of(ReasonCode.NOT_STARTED, detail=message).to_wire()
            elif failure is StartFailure.CONTAINER_NOT_RUNNING:
                data["because"] = Reason(ReasonCode.CONTAINER_NOT_RUNNING).to_wire()
            return Ending(EndReason.START_FAILED, message, data=data)
        case Exited(code):
            gone = None
            if code == _KILLED or spec.kind is Kind.ATTACH:
                gone = await _look_again(spec, backend)
            return gone or Ending(EndReason.EXITED, _exit_sentence(spec.kind, code), code)
        case Success(confirmed):
            if spec.kind is Kind.ATTACH:
                return await _look_again(spec, backend) or Ending.because(
                    EndReason.EXITED, Reason(ReasonCode.MAIN_PROCESS_CLOSED)
                )
            gone = None if confirmed else await missing_target(spec, backend)
            return gone or Ending(
                EndReason.EXITED,
                _exit_sentence(spec.kind, 0),
                0,
                {} if confirmed else {"unconfirmed": True},
            )
        case Lost():
            return await missing_target(spec, backend) or Ending.because(
                EndReason.LOST, Reason(ReasonCode.STREAM_LOST)
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
            return _gone("pod_deleted", Reason(ReasonCode.POD_DELETED))
        return None
    except TimeoutError:
        return None
    if pod.uid != spec.pod.uid:
        return _gone("pod_replaced", Reason(ReasonCode.POD_REPLACED))
    if pod.container_id != spec.pod.container_id or not pod.container_running:
        restarted = (
            Reason.of(ReasonCode.CONTAINER_RESTARTED_AFTER, word=pod.reason)
            if pod.reason
            else Reason(ReasonCode.CONTAINER_RESTARTED)
        )
        return _gone("container_restarted", restarted, pod.exit_code)
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


def _gone(why: str, because: Reason, exit_code: int | None = None) -> Ending:
    return Ending.because(EndReason.TARGET_GONE, because, exit_code, why=why)
