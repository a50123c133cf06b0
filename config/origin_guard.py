"""Which page may open a socket: its Origin must be exactly one of the allowed ones."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from config.asgitypes import Application, Receive, Scope, Send

logger = logging.getLogger(__name__)


class OriginGuard:
    """Answer 403 before a socket is accepted unless it has one Origin and that is allowed.

    The bytes are compared as they came: no parsing, no lower case, no default port. No Origin,
    `null` and a second Origin header are refused alike.
    """

    def __init__(self, application: Application, *, origins: Iterable[str]) -> None:
        self._application = application
        self._origins = frozenset(origin.encode("ascii") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        found = [value for name, value in scope["headers"] if name.lower() == b"origin"]
        if len(found) == 1 and found[0] in self._origins:
            await self._application(scope, receive, send)
            return
        logger.warning(
            "Refused a socket from origin %s; allowed origins are in HATCHWAY_ORIGINS.",
            ascii(b", ".join(found)[:200].decode("latin1")) if found else "(none)",
        )
        await send({"type": "websocket.close", "code": 1000})


async def deny(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 403 to a socket that no consumer serves."""
    await send({"type": "websocket.close", "code": 1000})
