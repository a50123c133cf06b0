"""The audit trail: what may be recorded, and the only function that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async

from access.models import AuditEvent
from access.policy import Decision
from protocol.target import Target


class EventTag(StrEnum):
    """What happened, as `source:subject:action`. A word that was written once never changes."""

    LOGIN_START = "access:login:start"
    LOGIN_FAIL = "access:login:fail"
    LOGIN_END = "access:login:end"
    PASSWORD_CHANGE = "access:password:change"  # noqa: S105
    ACCESS_REFUSED = "access:action:refuse"
    TICKET_REFUSED = "access:ticket:refuse"
    GRANT_CREATE = "access:grant:create"
    GRANT_CHANGE = "access:grant:change"
    GRANT_DELETE = "access:grant:delete"
    SESSION_START = "terminal:session:start"
    SESSION_END = "terminal:session:end"
    SESSION_TERMINATE = "terminal:session:terminate"
    INPUT_ENABLE = "terminal:input:enable"
    DEBUG_CONTAINER_CREATE = "targets:debug-container:create"


def record(
    tag: EventTag,
    *,
    user: Any = None,
    user_id: int | None = None,
    username: str = "",
    address: str = "",
    target: Target | None = None,
    session_id: UUID | None = None,
    decision: Decision | None = None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write one audit event and return it. `data` must be JSON and hold no secret.

    Raises what the database raises: an action that must be on record does not happen without it.
    """
    if user is not None and getattr(user, "pk", None) is not None:
        user_id, username = user.pk, username or user.get_username()
    event = AuditEvent(
        tag=tag.value,
        user_id=user_id,
        username=_fit(username, 150),
        address=_fit(address, 45),
        session_id=session_id,
        data=dict(data or {}),
        reason=_fit(reason, 300),
    )
    if target is not None:
        event.cluster, event.namespace = target.cluster, target.namespace
        event.pod, event.container = target.pod, target.container
    if decision is not None:
        event.grant, event.grant_id = _fit(decision.grant_name, 100), decision.grant_id
        if not decision.allowed and not reason:
            event.reason = _fit(decision.reason, 300)
        event.data = {"action": decision.action.value, **event.data}
    event.save()
    return event


async def arecord(tag: EventTag, **facts: Any) -> AuditEvent:
    """Write one audit event, asynchronously. Takes what `record` takes."""
    event: AuditEvent = await database_sync_to_async(record)(tag, **facts)
    return event


def _fit(text: str, most: int) -> str:
    """Cut to the column's width, without NUL, which PostgreSQL cannot store."""
    return text.replace("\x00", "")[:most]
