"""Daphne's connections with an end to waiting for a request: see config/waiting.py."""

from __future__ import annotations

from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from config.waiting import BODY_SECONDS, HEAD_SECONDS, waiting


class PatientChannel(HTTPChannel):
    """Twisted's HTTP connection. It owes a head when it is made and after each answer, and then
    the body, before Daphne hears of the request. Twisted itself takes at most 16 KiB for a head.
    """

    _due: Any = None
    """Twisted's handle of the timer that runs."""

    def connectionMade(self) -> None:
        """Begin to wait."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self._await(HEAD_SECONDS)

    def allHeadersReceived(self) -> None:
        """Wait for the body, if there is one."""
        self._await(BODY_SECONDS)
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def allContentReceived(self) -> None:
        """Wait no more: the application has the request now."""
        self._stop_waiting()
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: object) -> None:
        """Wait for the next request of this connection."""
        self._await(HEAD_SECONDS)
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _await(self, seconds: float) -> None:
        self._stop_waiting()
        self._due = self.callLater(seconds, self._cut)  # type: ignore[no-untyped-call]
        waiting.add(self, self._cut)

    def _stop_waiting(self) -> None:
        waiting.discard(self)
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None

    def _cut(self) -> None:
        self._stop_waiting()
        self.loseConnection()  # type: ignore[no-untyped-call]


class PatientFactory(HTTPFactory):  # type: ignore[misc]
    """Daphne's factory of connections. HTTP/1.1 only, as WebSockets need it."""

    protocol = PatientChannel

    def acceptableProtocols(self) -> list[bytes]:
        """Return what may be agreed on over TLS."""
        return [b"http/1.1"]


def limit_heads() -> None:
    """Let every Daphne of this process that starts from now on make its connections patient ones.

    Daphne has no option for it and looks its factory up when it starts, after it has imported the
    application. Does no harm under other servers.
    """
    daphne.server.HTTPFactory = PatientFactory
