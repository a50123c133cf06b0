"""The only code that changes a session's state: starting, live, ended.

Every change is one conditional update, so that it happens once however many try.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from access.audit import EventTag, record
from access.errors import TooMany
from protocol.reason import Reason, ReasonCode
from terminal.models import Participant, State, TerminalSession
from terminal.session.ending import Ending, EndReason
from terminal.session.launch import Launch, Shell
from terminal.session.live import LiveSession
from terminal.session.ports import Reaped
from terminal.session.spec import SessionSpec

_SENTENCE = 500
"""Characters of a sentence that are kept."""
_PROGRAM = 100
"""Characters of a program's name that are kept."""


@transaction.atomic
def create(spec: SessionSpec, *, host: str, grant: str, cols: int, rows: int, most: int) -> int:
    """Write the session's row, its owner's stay and its audit event: all or nothing. Nothing may
    be started before this returned. Returns the participant's id for `leave`.

    Raises TooMany when the person has `most` open sessions; of two that come at once, whichever
    server they come to, one waits for the other.
    """
    # PostgreSQL locks the row; SQLite has let one transaction in alone (config/settings.py).
    get_user_model().objects.select_for_update(no_key=True).filter(pk=spec.holder.user_id).first()
    check_room(spec.holder.user_id, most)
    target, launch = spec.target, spec.launch
    session = TerminalSession.objects.create(
        id=spec.id,
        user_id=spec.holder.user_id,
        username=spec.holder.username,
        cluster_user=spec.identity.user,
        cluster_groups=list(spec.identity.groups),
        address=spec.holder.address,
        cluster=target.cluster,
        namespace=target.namespace,
        pod=target.pod,
        container=target.container,
        pod_uid=spec.pod.uid,
        container_id=spec.pod.container_id,
        node=spec.pod.node,
        kind=spec.kind.value,
        shell=launch.shell.value if launch else "",
        command=list(launch.command) if launch else [],
        program=known_program(launch),
        marker=spec.marker,
        grant=grant,
        host=host,
        started=timezone.now(),
        cols=cols,
        rows=rows,
    )
    _audit(EventTag.SESSION_START, session)
    holder = spec.holder
    return join(
        spec.id,
        user_id=holder.user_id,
        username=holder.username,
        role="owner",
        address=holder.address,
    )


def check_room(user_id: int, most: int) -> None:
    """Raise TooMany when the person has `most` open sessions already."""
    mine = TerminalSession.objects.exclude(state=State.ENDED).filter(user_id=user_id)
    if mine.count() >= most:
        raise TooMany(Reason.of(ReasonCode.SESSIONS_LIMIT, limit=most), limit=most)


def known_program(launch: Launch | None) -> str:
    """Return what is known before it runs; nothing for `auto`, whose shell is noted later."""
    if launch is None or launch.shell is Shell.AUTO:
        return ""
    return launch.program[:_PROGRAM]


def note_program(session_id: UUID, program: str) -> None:
    """Note which shell `auto` became."""
    TerminalSession.objects.filter(id=session_id).update(program=program[:_PROGRAM])


def go_live(session_id: UUID) -> bool:
    """Note that the stream is open. Returns whether this call did it."""
    return bool(
        TerminalSession.objects.filter(id=session_id, state=State.STARTING).update(state=State.LIVE)
    )


@transaction.atomic
def end(
    session_id: UUID,
    ending: Ending,
    *,
    at: datetime | None = None,
    bytes_out: int | None = None,
    bytes_in: int | None = None,
    reaped: Reaped | None = None,
) -> bool:
    """Note how the session ended, `at` or now. Returns whether this call did it."""
    ended = at or timezone.now()
    changes: dict[str, Any] = {
        "state": State.ENDED,
        "ended": ended,
        "end_reason": ending.reason.value,
        "end_message": ending.message[:_SENTENCE],
        "end_data": dict(ending.data),
        "exit_code": ending.exit_code,
    }
    if bytes_out is not None:
        changes |= {"bytes_out": bytes_out, "bytes_in": bytes_in or 0}
    if reaped is not None:
        changes |= {"reaped": reaped.guaranteed, "processes_left": reaped.left}
    done = (
        TerminalSession.objects.exclude(state=State.ENDED).filter(id=session_id).update(**changes)
    )
    if not done:
        return False
    Participant.objects.filter(session_id=session_id, left=None).update(left=ended)
    session = TerminalSession.objects.get(id=session_id)
    _audit(
        EventTag.SESSION_END,
        session,
        reason=ending.reason.value,
        message=ending.message,
        exit_code=ending.exit_code,
        bytes_out=session.bytes_out,
        bytes_in=session.bytes_in,
        processes_left=session.processes_left,
    )
    return True


def note_reaped(session_id: UUID, left: int, *, guaranteed: bool) -> None:
    """Note what became of an ended session's processes."""
    TerminalSession.objects.filter(id=session_id, state=State.ENDED).update(
        reaped=guaranteed, processes_left=left
    )


def request_end(session: TerminalSession, *, by: str, reason: EndReason, note: str = "") -> bool:
    """Ask whichever host holds the session to end it. Returns False when it is over already."""
    return bool(
        TerminalSession.objects.exclude(state=State.ENDED)
        .filter(id=session.id, end_requested=None)
        .update(
            end_requested=timezone.now(),
            end_requested_by=by,
            end_requested_reason=reason.value,
            end_requested_note=note[:_SENTENCE],
        )
    )


def note_traffic(sessions: list[LiveSession]) -> None:
    """Write the byte counts of live sessions, so that a crash does not lose them."""
    for live in sessions:
        TerminalSession.objects.filter(id=live.spec.id, state=State.LIVE).update(
            bytes_out=live.bytes_out,
            bytes_in=live.bytes_in,
            cols=live.size.cols,
            rows=live.size.rows,
        )


def join(session_id: UUID, *, user_id: int, username: str, role: str, address: str) -> int:
    """Note that a socket joined; returns the participant's id for `leave`."""
    participant = Participant.objects.create(
        session_id=session_id,
        user_id=user_id,
        username=username,
        role=role,
        address=address,
        joined=timezone.now(),
    )
    return int(participant.pk)


def leave(participant_id: int) -> None:
    """Note that a socket left."""
    Participant.objects.filter(pk=participant_id, left=None).update(left=timezone.now())


def _audit(tag: EventTag, session: TerminalSession, reason: str = "", **data: Any) -> None:
    record(
        tag,
        username=session.username,
        user_id=session.user_id,
        address=session.address,
        target=session.target,
        session_id=session.id,
        reason=reason,
        data={
            "kind": session.kind,
            "shell": session.shell,
            "command": session.command,
            "pod_uid": session.pod_uid,
            "cluster_user": session.cluster_user,
            "grant": session.grant,
            **data,
        },
    )
