"""Static files from memory-mapped knowledge of the folder, without a thread per request."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise for an asynchronous stack: only a hit touches a thread, to read the file."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        assert iscoroutinefunction(get_response), "Hatchway is served by ASGI alone."
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        """Answer with a file, or let the next one answer."""
        path = request.path_info
        if not path.startswith(self.static_prefix):
            return await self.get_response(request)
        if self.autorefresh:
            static_file = await sync_to_async(self.find_file)(path)
        else:
            static_file = self.files.get(path)
        if static_file is None or request.method not in ("GET", "HEAD"):
            return await self.get_response(request)
        return await sync_to_async(_read)(static_file, request)


def _read(static_file: Any, request: HttpRequest) -> HttpResponse:
    found = static_file.get_response(request.method, request.META)
    body = b""
    if found.file is not None:
        with found.file:
            body = found.file.read()
    response = HttpResponse(body, status=int(found.status))
    del response["Content-Type"]
    for name, value in found.headers:
        response[name] = value
    return response
