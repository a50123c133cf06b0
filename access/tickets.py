"""Single-use tickets: what is authorised over HTTP opens a socket once, within 30 seconds."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from access.errors import TicketRefused, TooMany
from access.login import digest_of
from access.models import Ticket
from protocol.reason import Reason, ReasonCode

LIFETIME = timedelta(seconds=30)
SECRET_BYTES = 32
MADE_PURPOSE = "made"
"""Of a ticket that opens no socket: it proves that its person has just made a debug container."""


def issue(
    user: Any,
    login_key: str,
    purpose: str,
    payload: Mapping[str, Any] | None = None,
    *,
    origin: str = "",
) -> str:
    """Return the secret of a new ticket for one socket of this login session.

    The secret exists in the answer and in the client, nowhere else.

    `payload` is JSON and comes back from `consume`; `origin` binds the ticket to one as well.
    Raises TooMany when the person holds too many unused ones.
    """
    now = timezone.now()
    Ticket.objects.filter(expires__lte=now).delete()
    if Ticket.objects.filter(user_id=user.pk).count() >= settings.HATCHWAY_TICKETS_PER_PERSON:
        seconds = int(LIFETIME.total_seconds())
        raise TooMany(Reason.of(ReasonCode.TICKETS_LIMIT, seconds=seconds), retry_after=seconds)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    Ticket.objects.create(
        digest=digest_of(secret),
        user_id=user.pk,
        login_digest=digest_of(login_key),
        purpose=purpose,
        payload=dict(payload or {}),
        origin=origin,
        expires=now + LIFETIME,
    )
    return secret


def consume(
    secret: str, *, user_id: int, login_key: str, purpose: str, origin: str = ""
) -> dict[str, Any]:
    """Use a ticket up and return its payload. Of two uses at once exactly one succeeds.

    Raises TicketRefused. A ticket that is shown by the wrong person is used up as well: whoever
    else has the secret is not the one for whom it was made.
    """
    ticket = Ticket.objects.filter(digest=digest_of(secret)).first()
    if ticket is None:
        raise TicketRefused("unknown or used")
    deleted, _ = Ticket.objects.filter(digest=ticket.digest).delete()
    if not deleted:
        raise TicketRefused("used at the same time")
    if ticket.expires <= timezone.now():
        raise TicketRefused("too old")
    if ticket.user_id != user_id:
        raise TicketRefused("of another person")
    if not hmac.compare_digest(ticket.login_digest, digest_of(login_key)):
        raise TicketRefused("of another login session")
    if ticket.purpose != purpose:
        raise TicketRefused("for something else")
    if ticket.origin and ticket.origin != origin:
        raise TicketRefused("for another origin")
    payload: dict[str, Any] = ticket.payload
    return payload


async def aissue(
    user: Any,
    login_key: str,
    purpose: str,
    payload: Mapping[str, Any] | None = None,
    *,
    origin: str = "",
) -> str:
    """Make a ticket, asynchronously. See `issue`."""
    issued: str = await database_sync_to_async(issue)(
        user, login_key, purpose, payload, origin=origin
    )
    return issued


async def aconsume(
    secret: str, *, user_id: int, login_key: str, purpose: str, origin: str = ""
) -> dict[str, Any]:
    """Use a ticket up, asynchronously. See `consume`."""
    payload: dict[str, Any] = await database_sync_to_async(consume)(
        secret, user_id=user_id, login_key=login_key, purpose=purpose, origin=origin
    )
    return payload
