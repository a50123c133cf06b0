"""Whoever asks is answered at once, floods or not."""

from __future__ import annotations

from config.asgitypes import Application, Receive, Scope, Send
from config.priority import Priority


class Attentive:
    """Have the process in front (see `config.priority`) when a request or a socket comes."""

    def __init__(self, application: Application, priority: Priority) -> None:
        self._application = application
        self._priority = priority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        self._priority.answers(None)
        await self._application(scope, receive, send)
