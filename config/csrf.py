"""CSRF protection without exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware


def _not_exempt() -> HttpResponse:
    """Stand in for every view: what Django looks at here is whether it calls itself exempt."""
    raise NotImplementedError


class StrictCsrfMiddleware(CsrfViewMiddleware):
    """Check every unsafe request, also those of views that call themselves exempt.

    The API's views are exempt by their framework's default; here the session cookie is the only
    way to sign in, so none of them may be.
    """

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., Any] | None,
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponseForbidden | None:
        """Refuse the request, or return None to let it pass."""
        return super().process_view(request, _not_exempt, callback_args, callback_kwargs)
