"""From where a request comes."""

from __future__ import annotations

from django.http import HttpRequest


def address_of(request: HttpRequest | None) -> str:
    """Return the client's address as config/hygiene.py found it: never what a client claims."""
    return str(request.META.get("REMOTE_ADDR") or "") if request is not None else ""
