"""The HTTP connections of a load client."""

from __future__ import annotations

import aiohttp


def connections() -> aiohttp.ClientSession:
    """Return a session with as many connections as are asked for; aiohttp's own limit is 100."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
