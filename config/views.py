"""The one page, its health, and what an error looks like."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.headers import TRUSTED_TYPES, content_security_policy
from config.vite import FrontendMissing, assets


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Answer every address of the frontend with the page that draws it. Sets the CSRF cookie."""
    try:
        found = assets()
    except FrontendMissing:
        return _error_page(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            _("The frontend is not built"),
            _("Run `make build` in the project's folder and load this page again."),
        )
    get_token(request)
    language = "zh-CN" if get_language() == "zh-hans" else "en"
    response = render(request, "app.html", {"assets": found, "language": language})
    if not settings.HATCHWAY_VITE_SERVER:
        # Stricter than elsewhere: the admin site's own scripts do write markup.
        response["Content-Security-Policy"] = content_security_policy() + TRUSTED_TYPES
    return response


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when this process can work, else 503. Says nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"status": "ok"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request without a valid CSRF token."""
    return error(
        request,
        HTTPStatus.FORBIDDEN,
        "csrf",
        _("This request did not come from a page of Hatchway. Reload the page and try again."),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django found suspicious."""
    return error(request, HTTPStatus.BAD_REQUEST, "invalid", _("The request is malformed."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that a view refused."""
    return error(request, HTTPStatus.FORBIDDEN, "forbidden", _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request for an address that does not exist."""
    return error(request, HTTPStatus.NOT_FOUND, "not_found", _("There is nothing here."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when we failed. The details are in the log alone."""
    return error(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        _("Hatchway failed. Try again; if it stays, tell the person who runs it."),
    )


def error(
    request: HttpRequest, status: HTTPStatus, code: str, message: str, **data: Any
) -> HttpResponse:
    """Return an error: JSON below /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        body = {"error": {"code": code, "message": message, "data": data}}
        return JsonResponse(body, status=status)
    return _error_page(request, status, message, "")


def _error_page(request: HttpRequest, status: HTTPStatus, title: str, advice: str) -> HttpResponse:
    context = {"title": title, "advice": advice, "status": int(status)}
    return render(request, "error.html", context, status=status)
