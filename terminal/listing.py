"""Which sessions a person may see, and what is said of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from access.actions import Action
from access.errors import NotFound
from access.policy import rights_of
from protocol.reason import Reason, ReasonCode
from terminal.models import State, TerminalSession
from terminal.visibility import seen_by
from terminal.wiring import Unavailable, installed

_BATCH = 200
"""Rows that are read at a time until a page is full."""


def visible(user: Any, session_id: UUID) -> TerminalSession | None:
    """Return the session if the person holds any right on it."""
    session = TerminalSession.objects.filter(id=session_id).first()
    return session if session is not None and rights_on(user, session) else None


def rights_on(user: Any, session: TerminalSession) -> frozenset[str]:
    """Return which of `own`, `view` and `terminate` the person holds on a session."""
    held, labels = rights_of(user), _labels_of(session)
    rights = {
        action.value
        for action in (Action.VIEW, Action.TERMINATE)
        if held.decide(action, session.target, labels).allowed
    }
    if session.user_id == user.pk:
        rights |= {"own", "view"}
    return frozenset(rights)


def _labels_of(session: TerminalSession) -> Mapping[str, str] | None:
    """Return the labels that the pod had, while the session is held here.

    None afterwards: nobody knows them, so that no selector lets anybody in, `!=` included.
    """
    with contextlib.suppress(Unavailable):
        live = installed().host().get(session.id)
        if live is not None:
            return live.spec.pod.labels
    return None


def sessions(
    user: Any, *, scope: str, state: str | None, limit: int, before: UUID | None
) -> list[tuple[TerminalSession, frozenset[str]]]:
    """Return up to `limit` sessions, newest first, each with the person's rights on it.

    Fewer mean that there are no more, however many sessions of others lie between. `before` is
    the last session of the page before. Raises NotFound when there is none of that id.
    """
    rows = TerminalSession.objects.order_by("-started", "-id")
    if scope == "mine":
        rows = rows.filter(user=user)
    if state == "live":
        rows = rows.exclude(state=State.ENDED)
    elif state == "ended":
        rows = rows.filter(state=State.ENDED)
    edge: TerminalSession | None = None
    if before is not None:
        edge = TerminalSession.objects.filter(id=before).only("started").first()
        if edge is None:
            raise NotFound(Reason(ReasonCode.NO_SESSION))
    if scope == "mine":
        return [(row, frozenset({"own", "view"})) for row in _after(rows, edge)[:limit]]
    rows = rows.filter(seen_by(user, rights_of(user), _held_here()))
    found: list[tuple[TerminalSession, frozenset[str]]] = []
    size = max(_BATCH, limit)
    while len(found) < limit:
        batch = list(_after(rows, edge)[:size])
        judged = ((row, rights_on(user, row)) for row in batch)
        found += [(row, rights) for row, rights in judged if rights]
        if len(batch) < size:
            break
        edge = batch[-1]
    return found[:limit]


def _after(
    rows: QuerySet[TerminalSession], edge: TerminalSession | None
) -> QuerySet[TerminalSession]:
    """Return the rows that come after `edge`; of those of one moment the ids decide."""
    if edge is None:
        return rows
    return rows.filter(Q(started__lt=edge.started) | Q(started=edge.started, id__lt=edge.id))


def _held_here() -> list[UUID]:
    with contextlib.suppress(Unavailable):
        return [live.spec.id for live in installed().host().sessions()]
    return []


def describe(session: TerminalSession, user: Any, rights: frozenset[str]) -> dict[str, Any]:
    """Return a session as docs/api.md says it."""
    live = None
    with contextlib.suppress(Unavailable):
        live = installed().host().get(session.id)
    detached_until = None
    if live is not None and live.ending is None and live.deadlines.detached_at is not None:
        left = live.deadlines.detached_seconds_left
        detached_until = timezone.now() + timedelta(seconds=left)
    return {
        "id": session.id,
        "target": {
            "cluster": session.cluster,
            "namespace": session.namespace,
            "pod": session.pod,
            "container": session.container,
        },
        "pod_uid": session.pod_uid,
        "kind": session.kind,
        "shell": session.shell or None,
        "command": session.command,
        "program": session.program,
        "owner": session.username,
        "cluster_user": session.cluster_user,
        "address": session.address,
        "state": session.state,
        "attached": live is not None and live.owner is not None,
        "viewers": live.viewers if live is not None else 0,
        "started": session.started,
        "ended": session.ended,
        "end_reason": session.end_reason or None,
        "exit_code": session.exit_code,
        "bytes_out": live.bytes_out if live is not None else session.bytes_out,
        "bytes_in": live.bytes_in if live is not None else session.bytes_in,
        "cols": live.size.cols if live is not None else session.cols,
        "rows": live.size.rows if live is not None else session.rows,
        "mine": session.user_id == user.pk,
        "may": sorted(rights),
        "detached_until": detached_until,
    }
