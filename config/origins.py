"""Origins that may open sockets and send forms: exact `scheme://host[:port]`, never a pattern."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_ORIGIN = re.compile(r"(https?)://([a-z0-9]([-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def parse_origin(text: str, *, key: str) -> str:
    """Return `text` if a browser could send it as an Origin. Raises ImproperlyConfigured.

    Browsers write origins in lower case, without a default port and without a slash at the end;
    anything else would never match, so it is refused here.
    """
    match = _ORIGIN.fullmatch(text)
    if match is None or (match[4] and match[4][1:] == _DEFAULT_PORTS[match[1]]):
        raise ImproperlyConfigured(
            f"{key} has {text!r}; write scheme://host or scheme://host:port in lower case, "
            "without a default port, a path or a pattern."
        )
    return text


def host_of(origin: str) -> str:
    """Return the host of an origin, without its port; IPv6 addresses keep their brackets."""
    netloc = urlsplit(origin).netloc
    return netloc if netloc.endswith("]") else re.sub(r":[0-9]+$", "", netloc)


def socket_origin(origin: str) -> str:
    """Return the same origin as the address of a WebSocket: ws:// or wss://."""
    return "ws" + origin.removeprefix("http")
