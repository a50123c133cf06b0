"""GuardedConsumer: what every socket of ours passes before and after its own work.

Before the socket is accepted: a login session and a ticket of that login session, for this
purpose, used once. Without them the answer is HTTP 403 and nothing was started. Afterwards:

1. the person's open sockets are counted (4429),
2. `opened` runs, then `received` for each frame, one after the other;
3. whatever the socket started lives in `tasks` and `scopes` and ends with it;
4. a PeerVisibleError, from wherever in these tasks, becomes an `error` frame and its close code;
   anything else is logged and becomes 4500 without a detail.

Consumers of ours use no channel layer: who can write to the layer could type into shells.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from channels.consumer import AsyncConsumer
from django.db import InterfaceError, OperationalError

from access import tickets
from access.audit import EventTag, arecord
from access.errors import TicketRefused
from access.login import Login, login_of_scope
from access.sockets import counted
from protocol.close import EXPLANATIONS, CloseCode
from protocol.errors import PeerVisibleError

logger = logging.getLogger(__name__)

TICKET_PREFIX = "hatchway.ticket."
HELLO_SECONDS = 10.0
"""How long a client may take to say its first word."""
BEGIN_SECONDS = 20.0
"""How long this server may take to act on it: more than a busy database takes to give way."""
SILENCE_SECONDS = 45.0
"""How long a client may say nothing afterwards: three of its pings."""
FAREWELL_SECONDS = 5.0
"""How long the last words to a slow client may take."""
NO_LAYER = "none"
"""A channel layer that is never configured; Channels then uses none."""

Message = MutableMapping[str, Any]


class SocketClosing(Exception):
    """Raised by a consumer, or one of its tasks, to close the socket with a code."""

    def __init__(self, code: CloseCode = CloseCode.NORMAL) -> None:
        super().__init__(EXPLANATIONS[code])
        self.code = code


class _PeerGone(Exception):
    """The client is gone; there is nobody to tell anything."""


class _TimedOut(PeerVisibleError):
    code = "timed_out"
    close_code = CloseCode.TIMED_OUT


class _NotNow(PeerVisibleError):
    """This server cannot do it at the moment. Clients try again by themselves."""

    code = "unavailable"
    close_code = CloseCode.INTERNAL_ERROR


class _NoSubprotocol(PeerVisibleError):
    code = "no_subprotocol"
    close_code = CloseCode.NO_SUBPROTOCOL


class GuardedConsumer(AsyncConsumer):  # type: ignore[misc]
    """A socket of one signed-in person. Subclasses say `subprotocol`, `purpose`, `received`.

    `login` and `payload` (what the ticket carried) are set before `opened` is called. One instance
    serves one socket.
    """

    channel_layer_alias = NO_LAYER
    subprotocol: ClassVar[str]
    purpose: ClassVar[str]
    """What tickets for this socket are issued for."""
    hello_seconds: ClassVar[float] = HELLO_SECONDS
    begin_seconds: ClassVar[float] = BEGIN_SECONDS
    silence_seconds: ClassVar[float] = SILENCE_SECONDS

    login: Login
    payload: dict[str, Any]
    tasks: asyncio.TaskGroup
    """Owns every task of this socket; they are cancelled when it closes."""
    _next_look: asyncio.TimerHandle
    scopes: AsyncExitStack
    """Contexts entered here are left when the socket has closed, after its tasks have ended."""

    async def opened(self) -> None:
        """Begin. The socket is accepted; frames come after this has returned."""

    async def received(self, frame: str | bytes) -> None:
        """Take one frame: decode, enqueue, return. Never wait for a cluster here.

        Raise a PeerVisibleError to close the socket with its code, SocketClosing to close it
        without an error.
        """
        raise NotImplementedError

    async def send_frame(self, frame: str | bytes) -> None:
        """Send a frame: text for str, binary for bytes. May wait for a slow client."""
        key = "text" if isinstance(frame, str) else "bytes"
        try:
            await self._send({"type": "websocket.send", key: frame})
        except OSError:
            raise _PeerGone from None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one socket. Returns when it is closed and everything it started has ended."""
        self.scope = scope
        self._receive = receive
        self._send = send
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        if not await self._admit():
            await send({"type": "websocket.close", "code": 1000})
            return
        try:
            await self._serve()
        except _PeerGone:
            return
        except SocketClosing as closing:
            await self._close(closing.code)
        except PeerVisibleError as error:
            await self._close(error.close_code, error)
        except (OperationalError, InterfaceError) as error:
            logger.error("A socket of %s had no database: %s", ascii(self.login.username), error)
            away = _NotNow("The database of Hatchway does not answer; try again in a moment.")
            await self._close(away.close_code, away)
        except Exception:
            logger.exception("A socket of %s failed.", ascii(self.login.username))
            await self._close(CloseCode.INTERNAL_ERROR)

    async def dispatch(self, message: Message) -> None:
        """Refuse: messages reach a socket from its client alone, through `received`."""
        raise NotImplementedError(f"{type(self).__name__} takes no {message['type']!r} messages.")

    async def _admit(self) -> bool:
        """Return whether login session and ticket are right; the ticket is then used up."""
        login = login_of_scope(self.scope)
        client = self.scope.get("client")
        address = str(client[0]) if client else ""
        if login is None:
            logger.info("Refused a socket from %s: nobody is signed in.", ascii(address))
            return False
        self.login = login
        offered = self.scope.get("subprotocols") or []
        secrets = [word for word in offered if word.startswith(TICKET_PREFIX)]
        try:
            if len(secrets) != 1:
                raise TicketRefused("not exactly one ticket")
            self.payload = await tickets.aconsume(
                secrets[0].removeprefix(TICKET_PREFIX),
                user_id=login.user_id,
                login_key=login.key,
                purpose=self.purpose,
                origin=_origin_of(self.scope),
            )
        except TicketRefused as refused:
            await arecord(
                EventTag.TICKET_REFUSED, user=login.user, address=address, reason=refused.why
            )
            return False
        return True

    async def _serve(self) -> None:
        offered = [
            word
            for word in self.scope.get("subprotocols") or []
            if not word.startswith(TICKET_PREFIX)
        ]
        common = self.subprotocol in offered
        await self._send(
            {
                "type": "websocket.accept",
                "subprotocol": self.subprotocol if common else next(iter(offered), None),
            }
        )
        if not common:
            raise _NoSubprotocol("Client and server share no subprotocol; reload the page.")
        with counted(self.login.user_id):
            async with AsyncExitStack() as self.scopes:
                try:
                    async with asyncio.TaskGroup() as self.tasks:
                        await self._listen()
                except BaseExceptionGroup as group:
                    raise _cause(group) from group

    async def _listen(self) -> None:
        """Hand frames on until the client is gone; then raise, which ends the other tasks."""
        await self.opened()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.hello_seconds):
                first = await self._next_frame()
        except TimeoutError:
            raise _TimedOut(
                f"The client said nothing within {self.hello_seconds:g} seconds."
            ) from None
        try:
            async with asyncio.timeout(self.begin_seconds):
                await self.received(first)
        except TimeoutError:
            raise _NotNow("Hatchway is too busy to begin; try again in a moment.") from None
        self._heard = loop.time()
        try:
            async with asyncio.timeout(None) as patience:
                self._watch_silence(patience)
                while True:
                    frame = await self._next_frame()
                    self._heard = loop.time()
                    await self.received(frame)
        except TimeoutError:
            if not patience.expired():
                raise
            raise _TimedOut(
                f"The client said nothing for {self.silence_seconds:g} seconds."
            ) from None
        finally:
            self._next_look.cancel()

    async def _next_frame(self) -> str | bytes:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                raise _PeerGone
            text = message.get("text")
            frame: str | bytes | None = text if text is not None else message.get("bytes")
            if frame is not None:
                return frame

    def _watch_silence(self, patience: asyncio.Timeout) -> None:
        """Let patience end once the client was silent for too long.

        A look at the clock now and then: a frame moves no timer, and a socket needs no task more.
        """
        loop = asyncio.get_running_loop()
        due = self._heard + self.silence_seconds
        if due > loop.time():
            self._next_look = loop.call_at(due, self._watch_silence, patience)
        else:
            patience.reschedule(due)

    async def _close(self, code: CloseCode, error: PeerVisibleError | None = None) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                if error is not None or code is CloseCode.INTERNAL_ERROR:
                    await self.send_frame(_error_frame(error))
                await self._send(
                    {"type": "websocket.close", "code": int(code), "reason": EXPLANATIONS[code]}
                )
        except (_PeerGone, OSError, TimeoutError):
            logger.debug("A client was gone before it could be told why its socket closes.")


def _origin_of(scope: MutableMapping[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"origin":
            return str(value.decode("latin1"))
    return ""


def _error_frame(error: PeerVisibleError | None) -> str:
    code, message, data = (
        ("internal", EXPLANATIONS[CloseCode.INTERNAL_ERROR], {})
        if error is None
        else (error.code, error.message, dict(error.data))
    )
    return json.dumps({"type": "error", "code": code, "message": message, "data": data})


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what decides how the socket is closed, of everything that ended its tasks."""
    found = list(_leaves(group))
    for kind in (PeerVisibleError, SocketClosing, _PeerGone):
        expected = [error for error in found if isinstance(error, kind)]
        if expected and all(
            isinstance(error, PeerVisibleError | SocketClosing | _PeerGone) for error in found
        ):
            return expected[0]
    return next(
        error
        for error in found
        if not isinstance(error, PeerVisibleError | SocketClosing | _PeerGone)
    )


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
