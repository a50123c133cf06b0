"""What a server serves: HTTP and sockets, inside everything that every request passes."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

from config.asgitypes import Application
from config.attentive import Attentive
from config.headers import SecurityHeaders
from config.hygiene import Hygiene
from config.introduced import Introduced
from config.lifespan import Lifespan, WithLifespan
from config.origin_guard import OriginGuard
from config.priority import Priority
from config.routing import socket_router


def build_application(lifespan: Lifespan, priority: Priority) -> Application:
    """Return the ASGI application. What must live as long as the process is held by `lifespan`."""
    http = get_asgi_application()
    sockets = OriginGuard(Introduced(socket_router()), origins=settings.HATCHWAY_ORIGINS)
    application: Application = ProtocolTypeRouter({"http": http, "websocket": sockets})
    application = Hygiene(application, trusted_proxies=settings.HATCHWAY_TRUSTED_PROXIES)
    return WithLifespan(Attentive(SecurityHeaders(application), priority), lifespan)
