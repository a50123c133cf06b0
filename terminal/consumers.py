"""One browser socket of a session: decode, hand to the core, encode."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError

from access.actions import Action
from access.audit import EventTag, arecord
from access.consumers import GuardedConsumer, SocketClosing
from access.errors import Forbidden, NotFound, SignedOut
from access.login import Login
from access.revocation import Holding, Revoked, Why, check
from access.signals import target_used
from protocol import tty
from protocol.reason import Reason, ReasonCode
from protocol.size import Size
from terminal import lifecycle
from terminal.opening import Opening
from terminal.session.live import LiveSession
from terminal.session.spec import Holder, SessionSpec
from terminal.session.view import View
from terminal.wiring import installed

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
"""How often a viewer's right is looked at again (the promise is five seconds)."""


class TerminalConsumer(GuardedConsumer):
    """Speaks `hatchway.tty.v1` for one view of one session.

    The session does not belong to this socket: it is opened in the host and stays there when the
    socket goes.
    """

    subprotocol = tty.SUBPROTOCOL
    purpose = "tty"

    _view: View | None = None
    _size: Size
    _next_check: asyncio.TimerHandle

    async def received(self, frame: str | bytes) -> None:
        """Take one frame: see docs/protocol.md."""
        if isinstance(frame, bytes):
            typed = tty.decode_binary(frame)
            view = self._joined()
            view.session.type(view, typed.offset, typed.data)
            return
        event = tty.decode_text(frame)
        if isinstance(event, tty.Hello):
            await self._hello(event)
            return
        view = self._joined()
        session = view.session
        match event:
            case tty.Ack(offset):
                view.acked(offset)
            case tty.Ping(t):
                view.tell(tty.Pong(t))
            case tty.Resize(size):
                self._size = size
                session.resize(view, size)
            case tty.Take():
                session.take(view, self._size)
            case tty.EnableInput():
                if session.enable_input(view):
                    self.tasks.create_task(self._note_input(session))
            case tty.End():
                session.close_by_owner(view)
            case tty.Input():
                raise tty.BadFrame("Input travels in binary frames.")
            case _:
                assert_never(event)

    def _joined(self) -> View:
        if self._view is None:
            raise tty.BadFrame("The first message is `hello`.")
        return self._view

    async def _hello(self, hello: tty.Hello) -> None:
        if self._view is not None:
            raise tty.BadFrame("`hello` is said once.")
        session, may_own, participant = await self._session(hello.size)
        view = View(session, hello.client, holder_of(self.login), may_own)
        self._size = hello.size
        await self.scopes.enter_async_context(self._stay(session, view, participant))
        session.join(view, hello.size, hello.offset)
        self._view = view
        self.tasks.create_task(self._pump(view))
        # One's own session takes nothing but a timer: a task for each would cost idle ones 1.5 KiB.
        self._check_later(view)
        self.scopes.callback(self._stop_checking)

    async def _session(self, size: Size) -> tuple[LiveSession, bool, int | None]:
        """Return the session that the ticket is for, opening a new one, whether the person may own
        it, and the participant's id where the stay is on record already."""
        wiring = installed()
        host = wiring.host()
        if "join" in self.payload:
            live = host.get(UUID(self.payload["join"]))
            if live is None:
                raise NotFound(Reason(ReasonCode.SESSION_OVER))
            return live, self.payload["role"] == "owner", None
        opening = Opening.from_payload(self.payload.pop("open"))
        spec = SessionSpec(
            id=opening.session_id,
            target=opening.target,
            identity=opening.identity,
            kind=opening.kind,
            launch=opening.launch,
            marker=opening.marker,
            pod=opening.pod,
            holder=holder_of(self.login),
            is_input_enabled=opening.is_input_enabled,
        )
        # No record, no session: when this fails, nothing was started.
        participant = await database_sync_to_async(lifecycle.create)(
            spec,
            host=wiring.host_name,
            grant=opening.grant,
            cols=size.cols,
            rows=size.rows,
            most=wiring.sessions_per_person,
        )
        await target_used.asend(
            sender=TerminalConsumer,
            user_id=self.login.user_id,
            target=opening.target,
            kind=opening.kind.value,
            shell=opening.launch.shell.value if opening.launch else "",
            program=lifecycle.known_program(opening.launch),
        )
        session = host.open(spec, size)
        if opening.is_input_enabled:
            await self._note_input(session)
        return session, True, participant

    @asynccontextmanager
    async def _stay(
        self, session: LiveSession, view: View, participant: int | None
    ) -> AsyncIterator[None]:
        """Have the stay on record before anything is shown, and leave whatever happens."""
        try:
            if participant is None:
                is_owner = view.may_own and session.ending is None
                participant = await database_sync_to_async(lifecycle.join)(
                    session.spec.id,
                    user_id=self.login.user_id,
                    username=self.login.username,
                    role="owner" if is_owner else "viewer",
                    address=self.login.address,
                )
            yield
        finally:
            session.leave(view)
            if participant is not None:
                try:
                    await database_sync_to_async(lifecycle.leave)(participant)
                except DatabaseError as error:
                    # It does not change how the socket is closed; the session's end closes the row.
                    log.warning("that a participant left was not noted: %s", error)

    async def _pump(self, view: View) -> None:
        try:
            while (event := await view.next()) is not None:
                await self.send_frame(event.encode())
        finally:
            # A task that was made while the others end would not be ended with them.
            self._stop_checking()
        raise SocketClosing(view.close_code)

    def _check_later(self, view: View) -> None:
        self._next_check = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check, view)

    def _stop_checking(self) -> None:
        self._next_check.cancel()

    def _check(self, view: View) -> None:
        """Have a viewer's right looked at.

        The host's guard looks after the person who owns the session; everybody else who is in it
        signed in on their own and looks on by a grant of their own.
        """
        if view.holder == view.session.holder:
            self._check_later(view)
        else:
            self.tasks.create_task(self._close_if_revoked(view))

    async def _close_if_revoked(self, view: View) -> None:
        """Close the socket when its person may no longer look on."""
        try:
            revoked = await database_sync_to_async(_revoked)(view)
        except DatabaseError as error:
            log.warning("a viewer could not be checked: %s", error)
            revoked = None
        if revoked is None:
            self._check_later(view)
            return
        if revoked.why in (Why.SIGNED_OUT, Why.PASSWORD_CHANGED):
            raise SignedOut
        raise Forbidden(revoked.because, action=Action.VIEW.value, why=revoked.why.value)

    async def _note_input(self, session: LiveSession) -> None:
        await arecord(
            EventTag.INPUT_ENABLE,
            user=self.login.user,
            address=self.login.address,
            target=session.spec.target,
            session_id=session.spec.id,
        )


def _revoked(view: View) -> Revoked | None:
    """Return why this view must go. One's own session needs no grant to look at."""
    holder, session = view.holder, view.session
    is_own = holder.user_id == session.holder.user_id
    holding = Holding(
        user_id=holder.user_id,
        login_key=holder.login_key,
        auth_hash=holder.auth_hash,
        action=None if is_own else Action.VIEW,
        target=session.spec.target,
        labels=session.spec.pod.labels,
    )
    return check({"view": holding}).get("view")


def holder_of(login: Login) -> Holder:
    """Return the person and login session behind a socket, as the core carries them."""
    return Holder(login.user_id, login.username, login.key, login.auth_hash, login.address)
