"""What is wrong with a request before anybody looks at it, and who really sent it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.core.exceptions import ImproperlyConfigured

from config.asgitypes import Application, Message, Receive, Scope, Send
from config.waiting import BODY_SECONDS

logger = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network
Header = tuple[bytes, bytes]

_CONTROL_BYTES = frozenset(range(0x20)) - {0x09} | {0x7F, 0x85}
"""Never in a header. Some servers end a line at 0B, 0C, 1C to 1E or 85, which forges headers."""
_FORGEABLE = (b"impersonate-", b"x-remote-", b"x-forwarded-", b"daphne-")
"""Headers that claim an identity or a way: taken off before Django sees them."""
_FORGEABLE_NAMES = frozenset({b"forwarded", b"x-real-ip"})

MAX_BODY = 1024 * 1024
"""Bytes. Django keeps what it may read later on the disk, from strangers too: so not for ever."""


def parse_networks(words: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that `words` name. Raises ImproperlyConfigured."""
    try:
        return tuple(ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise ImproperlyConfigured(f"HATCHWAY_TRUSTED_PROXIES: {error}.") from None


class _BodyTooSlow(Exception):
    """The body did not come in time."""


class Hygiene:
    """Refuse control bytes and endless bodies, set the client's address, drop forgeable headers.

    The client is the peer of the socket. Only a peer among the trusted proxies is believed when it
    says for whom it asks (X-Forwarded-For, from the right, as far as trusted proxies reach) and by
    which scheme (X-Forwarded-Proto).
    """

    def __init__(self, application: Application, *, trusted_proxies: Iterable[str] = ()) -> None:
        self._application = application
        self._trusted = parse_networks(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        headers: list[Header] = [(bytes(n).lower(), bytes(v)) for n, v in scope["headers"]]
        if _is_malformed(scope, headers):
            logger.warning("Refused a request with control bytes from %s.", _peer(scope))
            await _refuse(scope, send)
            return
        if status := _unwelcome_body(headers):
            await _refuse(scope, send, status)
            return
        scope = dict(scope)
        client, scheme = self._true_client(scope, headers)
        scope["client"] = client
        scope["scheme"] = scheme
        scope["headers"] = [(name, value) for name, value in headers if not _is_forgeable(name)]
        # A socket may be served for hours, and whoever serves it may need no header by then.
        del headers
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            await self._application(scope, _in_time(receive), send)
        except _BodyTooSlow:
            # Nothing was answered: a body is read before the view is called.
            await _refuse(scope, send, HTTPStatus.REQUEST_TIMEOUT)

    def _true_client(
        self, scope: Scope, headers: list[Header]
    ) -> tuple[tuple[str, int] | None, str]:
        secure = scope.get("scheme") in ("https", "wss")
        address = _peer(scope)
        if address and not scope["client"][1] and _values(headers, b"x-forwarded-for"):
            # No socket has port 0: the server itself has believed the header, whoever sent it.
            logger.error(
                "The web server believes X-Forwarded-For itself; start uvicorn with "
                "--no-proxy-headers and name your proxies in HATCHWAY_TRUSTED_PROXIES."
            )
            address = ""
        port = int(scope["client"][1]) if scope.get("client") else 0
        if self._is_trusted(address):
            proto = _values(headers, b"x-forwarded-proto")
            if proto:
                secure = proto[-1] in ("https", "wss")
            for hop in reversed(_values(headers, b"x-forwarded-for")):
                if not _is_address(hop):
                    break
                address, port = hop, 0
                if not self._is_trusted(hop):
                    break
        kind = "http" if scope["type"] == "http" else "ws"
        return (address, port) if address else None, f"{kind}s" if secure else kind

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(
            ip_address(address) in network for network in self._trusted
        )


def _is_malformed(scope: Scope, headers: list[Header]) -> bool:
    if any(not _CONTROL_BYTES.isdisjoint(value) or b"\x00" in name for name, value in headers):
        return True
    if b"%00" in scope.get("query_string", b"") or b"\x00" in scope.get("query_string", b""):
        return True
    return any(ord(character) < 0x20 or character == "\x7f" for character in scope["path"])


def _unwelcome_body(headers: list[Header]) -> int | None:
    """Return the status for a body that is too long or does not say how long it is."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        return HTTPStatus.LENGTH_REQUIRED
    lengths = [value for name, value in headers if name == b"content-length"]
    if any(not value.isdigit() or len(value) > 9 or int(value) > MAX_BODY for value in lengths):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _in_time(receive: Receive) -> Receive:
    """Return `receive` with an end to waiting for the body. Raises _BodyTooSlow.

    What is received after the body (that the client is gone) may take as long as it likes.
    """
    due = asyncio.get_running_loop().time() + BODY_SECONDS
    is_complete = False

    async def receive_in_time() -> Message:
        nonlocal is_complete
        if is_complete:
            return await receive()
        try:
            async with asyncio.timeout_at(due):
                message = await receive()
        except TimeoutError:
            raise _BodyTooSlow from None
        is_complete = not message.get("more_body", False)
        return message

    return receive_in_time


def _is_forgeable(name: bytes) -> bool:
    return name.startswith(_FORGEABLE) or name in _FORGEABLE_NAMES


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _values(headers: list[Header], wanted: bytes) -> list[str]:
    words = [
        word.strip()
        for name, value in headers
        if name == wanted
        for word in value.decode("latin1").split(",")
    ]
    return [word for word in words if word]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


async def _refuse(scope: Scope, send: Send, status: int = HTTPStatus.BAD_REQUEST) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    body = b'{"error":{"code":"invalid","message":"The request is malformed.","data":{}}}'
    await send(
        {
            "type": "http.response.start",
            "status": int(status),
            "headers": [
                # Where a body is not read there is no next request on this connection.
                (b"connection", b"close"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
