"""What the API answers to a method that an address does not take: an error like all others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware

GetResponse = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def json_not_allowed(get_response: GetResponse) -> GetResponse:
    """Wrap Django: 405 below /api/ has a body as docs/api.md describes errors.

    The API's framework answers it in plain text before any of its error handlers is asked.
    """
    if inspect.iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponse:
            return _as_json(request, await get_response(request))

        return answer_later

    def answer(request: HttpRequest) -> HttpResponse:
        return _as_json(request, get_response(request))

    return answer


def _as_json(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    is_ours = request.path.startswith("/api/")
    if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not is_ours:
        return response
    allowed = sorted(response["Allow"].replace(" ", "").split(","))
    message = f"This address takes {' and '.join(allowed)}."
    error = {"code": "invalid", "message": message, "data": {"allow": allowed}}
    answer = JsonResponse({"error": error}, status=HTTPStatus.METHOD_NOT_ALLOWED)
    answer["Allow"] = ", ".join(allowed)
    return answer
