"""Headers of every response, whoever made it: page, API, error, static file."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from django.conf import settings

from config.asgitypes import Application, Message, Receive, Scope, Send
from config.origins import socket_origin

Header = tuple[bytes, bytes]

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Other places are told nothing. `no-referrer` would make browsers send `Origin: null` with
    # our own forms, which no check of the origin can let pass.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
        "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
}


TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types vue"
"""Text becomes markup through Vue's own policy alone: a string that reaches innerHTML throws."""


def content_security_policy() -> str:
    """Return the policy of every page: everything from here, nothing inline."""
    sockets = " ".join(socket_origin(origin) for origin in settings.HATCHWAY_ORIGINS)
    dev = settings.HATCHWAY_VITE_SERVER
    dev_socket = socket_origin(dev) if dev else ""
    # Vite's development server puts styles into the page; config.E006 keeps it out of production.
    dev_styles = f"'unsafe-inline' {dev}" if dev else ""
    parts = {
        "default-src": "'none'",
        "script-src": f"'self' {dev}",
        "style-src": f"'self' {dev_styles}",
        "img-src": f"'self' data: {dev}",
        "font-src": f"'self' {dev}",
        "connect-src": f"'self' {sockets} {dev} {dev_socket}",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {' '.join(value.split())}" for name, value in parts.items())


class SecurityHeaders:
    """Wrap the whole application and add to each HTTP response what it has not set itself.

    It stands outside Django, whose own middleware never sees a request that is malformed.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        fixed = {**FIXED, "Content-Security-Policy": content_security_policy()}
        if settings.SECURE_HSTS_SECONDS and settings.HTTPS:
            fixed["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        self._fixed = [(name.lower().encode(), value.encode()) for name, value in fixed.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": self._harden(message["status"], message.get("headers", [])),
                }
            await send(message)

        await self._application(scope, receive, send_hardened)

    def _harden(self, status: int, headers: Iterable[Header]) -> list[Header]:
        result = [(bytes(name).lower(), bytes(value)) for name, value in headers]
        present = {name for name, _ in result}
        result += [(name, value) for name, value in self._fixed if name not in present]
        # Static files are marked as to be kept. All else may show what one person may see.
        if b"cache-control" not in present or status >= HTTPStatus.BAD_REQUEST:
            vary = [value.decode("latin1") for name, value in result if name == b"vary"]
            result = [
                (name, value) for name, value in result if name not in (b"cache-control", b"vary")
            ]
            result.append((b"cache-control", b"no-store"))
            result.append((b"vary", _with_cookie(", ".join(vary)).encode("latin1")))
        return result


def _with_cookie(vary: str) -> str:
    words = [word.strip() for word in vary.split(",") if word.strip()]
    if "cookie" not in {word.lower() for word in words}:
        words.append("Cookie")
    return ", ".join(words)
