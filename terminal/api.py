"""JSON endpoints of sessions and tickets (docs/api.md)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest
from ninja import Router, Schema, Status

from access.address import address_of
from access.audit import EventTag, arecord
from access.errors import Forbidden, Invalid, NotFound
from access.login import login_of
from access.person import signed_in
from access.tickets import LIFETIME, aissue
from protocol.errors import PeerVisibleError
from protocol.reason import Reason, ReasonCode
from protocol.target import Target
from protocol.tty import SUBPROTOCOL
from terminal import lifecycle, listing, opening
from terminal.models import State, TerminalSession
from terminal.session.ending import Ending, EndReason
from terminal.session.spec import Kind
from terminal.wiring import Unavailable, installed

router = Router(tags=["sessions"])

TTY_PATH = "/ws/tty"
MAX_PAGE = 200


class SessionOver(PeerVisibleError):
    """The session has ended."""

    code = "ended"

    @property
    def status(self) -> int:
        """409: it was there, it is over."""
        return 409


class TargetIn(Schema):
    cluster: str
    namespace: str
    pod: str
    container: str


class TicketIn(Schema):
    """A new session (`target`), an existing one (`session`) or the live tree (`stream`)."""

    target: TargetIn | None = None
    kind: Literal["exec", "attach"] = "exec"
    shell: str | None = None
    command: list[str] | None = None
    made: str | None = None
    session: UUID | None = None
    role: Literal["owner", "viewer"] = "owner"
    stream: Literal["targets"] | None = None


class TicketOut(Schema):
    ticket: str
    path: str
    subprotocol: str
    session: UUID | None
    expires_in: int


class TerminateIn(Schema):
    reason: str = ""


@router.post("/tickets", response={201: TicketOut})
async def create_ticket(request: HttpRequest, body: TicketIn) -> Status[dict[str, Any]]:
    """Give out a single-use ticket for one socket, or say why not."""
    user = await signed_in(request)
    login = login_of(request, user)
    chosen = [body.target is not None, body.session is not None, body.stream is not None]
    if sum(chosen) != 1:
        raise Invalid("A ticket is for a target, a session or a stream.")
    # Browsers name the page that asks; the socket must then come from the same one.
    origin = request.headers.get("Origin", "")
    if body.stream is not None:
        ticket = await aissue(user, login.key, "targets", origin=origin)
        return Status(201, _ticket(ticket, None, "/ws/targets", "hatchway.targets.v1"))
    if body.session is not None:
        session = await _visible(user, body.session)
        if session.state == State.ENDED and not _lingers(session.id):
            raise SessionOver(
                Reason(ReasonCode.SESSION_OVER),
                end_reason=session.end_reason,
                exit_code=session.exit_code,
                sentence=session.end_message,
                end_data=session.end_data,
            )
        if body.role == "owner" and session.user_id != user.pk:
            raise Forbidden(Reason(ReasonCode.ONLY_OWNER_TYPES), action="own")
        payload: dict[str, Any] = {"join": str(session.id), "role": body.role}
        session_id = session.id
    else:
        assert body.target is not None
        target = Target.of(**body.target.dict())
        kind = Kind(body.kind)
        launch = opening.launch_of(kind, body.shell, body.command)
        allowed = await opening.decide(login, target, kind, launch, installed())
        if body.made is not None and kind is Kind.ATTACH:
            allowed = await opening.with_input(allowed, login, body.made, origin=origin)
        payload = {"open": allowed.to_payload()}
        session_id = allowed.session_id
    ticket = await aissue(user, login.key, "tty", payload, origin=origin)
    return Status(201, _ticket(ticket, session_id, TTY_PATH, SUBPROTOCOL))


@router.get("/sessions")
async def list_sessions(
    request: HttpRequest,
    scope: Literal["mine", "all"] = "mine",
    state: Literal["live", "ended"] | None = None,
    limit: int = 50,
    before: UUID | None = None,
) -> dict[str, Any]:
    """Return sessions, newest first."""
    user = await signed_in(request)
    limit = min(max(limit, 1), MAX_PAGE)
    found = await database_sync_to_async(listing.sessions)(
        user, scope=scope, state=state, limit=limit + 1, before=before
    )
    shown = [listing.describe(session, user, rights) for session, rights in found[:limit]]
    return {"sessions": shown, "more": len(found) > limit}


@router.get("/sessions/{session_id}")
async def get_session(request: HttpRequest, session_id: UUID) -> dict[str, Any]:
    """Return one session that the person may see."""
    user = await signed_in(request)
    session = await _visible(user, session_id)
    rights = await database_sync_to_async(listing.rights_on)(user, session)
    return listing.describe(session, user, rights)


@router.post("/sessions/{session_id}/end", response={202: None})
async def end_session(request: HttpRequest, session_id: UUID) -> Status[None]:
    """End one's own session."""
    user = await signed_in(request)
    session = await _visible(user, session_id)
    if session.user_id != user.pk:
        raise Forbidden(Reason(ReasonCode.ONLY_OWNER_CLOSES), action="own")
    await _request_end(session, user.get_username(), EndReason.CLOSED_BY_OWNER, "")
    return Status(202, None)


@router.post("/sessions/{session_id}/terminate", response={202: None})
async def terminate_session(
    request: HttpRequest, session_id: UUID, body: TerminateIn
) -> Status[None]:
    """End somebody's session, with the grant action `terminate`."""
    user = await signed_in(request)
    session = await _visible(user, session_id)
    rights = await database_sync_to_async(listing.rights_on)(user, session)
    if "terminate" not in rights:
        raise Forbidden(Reason(ReasonCode.NO_TERMINATE), action="terminate")
    await _request_end(session, user.get_username(), EndReason.TERMINATED, body.reason)
    await arecord(
        EventTag.SESSION_TERMINATE,
        user=user,
        address=address_of(request),
        target=session.target,
        session_id=session.id,
        data={"owner": session.username, "note": body.reason[:500]},
    )
    return Status(202, None)


async def _request_end(session: TerminalSession, by: str, reason: EndReason, note: str) -> None:
    await database_sync_to_async(lifecycle.request_end)(session, by=by, reason=reason, note=note)
    # The host finds the request within a second; here it may be told at once.
    try:
        live = installed().host().get(session.id)
    except Unavailable:
        return
    if live is not None:
        sentences = {
            EndReason.TERMINATED: "An administrator ended the session.",
            EndReason.CLOSED_BY_OWNER: "The session was closed.",
        }
        live.end(Ending(reason, sentences[reason], data={"by": by, "note": note}))


async def _visible(user: Any, session_id: UUID) -> TerminalSession:
    session: TerminalSession | None = await database_sync_to_async(listing.visible)(
        user, session_id
    )
    if session is None:
        raise NotFound(Reason(ReasonCode.NO_SESSION))
    return session


def _lingers(session_id: UUID) -> bool:
    try:
        return installed().host().get(session_id) is not None
    except Unavailable:
        return False


def _ticket(secret: str, session_id: UUID | None, path: str, subprotocol: str) -> dict[str, Any]:
    return {
        "ticket": secret,
        "path": path,
        "subprotocol": subprotocol,
        "session": session_id,
        "expires_in": int(LIFETIME.total_seconds()),
    }
