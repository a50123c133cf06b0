"""Composition of the sockets: which consumer serves which address, with which backends."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import path, re_path

from config.asgitypes import Application
from config.backends import backends
from config.origin_guard import deny
from targets.consumers import TargetsConsumer
from terminal.consumers import TerminalConsumer


def socket_router() -> Application:
    """Return the application that serves every socket; unknown addresses are answered 403."""
    kubernetes = backends()
    targets = TargetsConsumer.as_asgi(directory=kubernetes.directory, rights=kubernetes.rights)
    router: Application = URLRouter(
        [
            path("ws/targets", targets),
            path("ws/tty", TerminalConsumer.as_asgi()),
            re_path(r"", deny),  # type: ignore[arg-type]
        ]
    )
    return router
