"""The JSON API: its one object, and the one place where errors become answers."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from access.api import router as access_router
from access.login import person_of
from config.backends import backends
from config.json_bodies import StrictParser
from protocol.errors import PeerVisibleError
from targets.api import build_router as build_targets_router
from terminal.api import router as terminal_router

logger = logging.getLogger(__name__)

api = NinjaAPI(
    title="Hatchway",
    version=settings.VERSION,
    urls_namespace="api",
    parser=StrictParser(),
    auth=person_of,
    docs_url="/docs" if settings.DEBUG else None,
)
api.add_router("", access_router)
api.add_router("", terminal_router)
_kubernetes = backends()
api.add_router(
    "",
    build_targets_router(
        _kubernetes.directory, _kubernetes.rights, _kubernetes.pods, _kubernetes.debug
    ),
)


def _answer(
    request: HttpRequest, status: int, code: str, message: str, data: dict[str, Any]
) -> HttpResponse:
    body = {"error": {"code": code, "message": message, "data": data}}
    return api.create_response(request, body, status=status)


@api.exception_handler(PeerVisibleError)
def _visible(request: HttpRequest, error: Any) -> HttpResponse:
    assert isinstance(error, PeerVisibleError)
    response = _answer(request, error.status, error.code, error.message, dict(error.data))
    if "retry_after" in error.data:
        response["Retry-After"] = str(error.data["retry_after"])
    return response


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    assert isinstance(error, ValidationError)
    problems = [
        {
            "where": ".".join(str(part) for part in problem.get("loc", ())[1:]),
            "problem": str(problem.get("msg", "")),
        }
        for problem in error.errors[:20]
    ]
    message = "The request is not what docs/api.md describes."
    return _answer(request, HTTPStatus.BAD_REQUEST, "invalid", message, {"problems": problems})


@api.exception_handler(AuthenticationError)
def _signed_out(request: HttpRequest, _error: Any) -> HttpResponse:
    return _answer(request, HTTPStatus.UNAUTHORIZED, "signed_out", "Nobody is signed in.", {})


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, _error: Any) -> HttpResponse:
    return _answer(request, HTTPStatus.NOT_FOUND, "not_found", "There is nothing here.", {})


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: Any) -> HttpResponse:
    assert isinstance(error, HttpError)
    message = "The request is malformed."
    return _answer(request, error.status_code, "invalid", message, {})


@api.exception_handler(SuspiciousOperation)
def _suspicious(request: HttpRequest, _error: Any) -> HttpResponse:
    """Answer what Django refuses to read, such as a body of too many bytes."""
    return _answer(request, HTTPStatus.BAD_REQUEST, "invalid", "The request is malformed.", {})


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("The API failed at %s.", ascii(request.path), exc_info=error)
    message = "Hatchway failed. Try again; if it stays, tell the person who runs it."
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", message, {})
