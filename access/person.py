"""The person behind a request of the API, for asynchronous operations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from access.errors import SignedOut


async def signed_in(request: HttpRequest) -> Any:
    """Return the signed-in person's account. Raises SignedOut."""
    user = await request.auser()
    if not user.is_authenticated or not user.is_active:
        raise SignedOut
    return user
