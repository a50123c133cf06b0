"""Who opened a socket, looked up once, so that nothing of the looking up lives as long as it."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack

from config.asgitypes import Application, Receive, Scope, Send

_FOUND = "introduced"


class Introduced:
    """Put the person and the login session into the scope, then serve the socket without Channels'
    authentication around it.

    A socket lives for hours. Inside Channels' stack each would keep five copies of its scope, all
    headers and the cookies, and every frame sent would ask whether the session is to be saved. Of
    the headers only Origin is handed on.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._look_up: Application = AuthMiddlewareStack(_keep)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket; `scope` is changed, for outer applications hold it as long."""
        found: list[Scope] = []
        await self._look_up({**scope, _FOUND: found}, receive, send)
        scope["user"], scope["session"] = found[0]["user"], found[0]["session"]
        scope["headers"] = [item for item in scope["headers"] if item[0] == b"origin"]
        del found
        await self._application(scope, receive, send)


async def _keep(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope[_FOUND].append(scope)
