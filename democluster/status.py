"""Errors of the API as `v1.Status` objects, in the words of a real API server."""

from __future__ import annotations

from typing import Any

from democluster.objects import JsonObject
from democluster.resources import Resource


class ApiError(Exception):
    """A request that is answered with a Status. `body` is that Status, `code` its HTTP status."""

    def __init__(
        self, code: int, reason: str, message: str, details: JsonObject | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.body: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
        }
        if reason:
            self.body["reason"] = reason
        if details is not None:
            self.body["details"] = details
        self.body["code"] = code


def details_of(resource: Resource, name: str = "") -> JsonObject:
    """Return the details that name a resource."""
    details: JsonObject = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.plural
    return details


def bad_request(message: str) -> ApiError:
    """Return the error for a request that is not understood."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """Return the error for a token that nobody has."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def not_found(resource: Resource, name: str) -> ApiError:
    """Return the error for an object that does not exist."""
    return ApiError(
        404, "NotFound", f'{resource.qualified} "{name}" not found', details_of(resource, name)
    )


def no_such_resource() -> ApiError:
    """Return the error for a path under a served group version that is no resource."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, {})


def method_not_allowed() -> ApiError:
    """Return the error for a method that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """Return the error for a name that is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details_of(resource, name))


def conflict(resource: Resource, name: str) -> ApiError:
    """Return the error for an update made from an old version."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been '
        "modified; please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, details_of(resource, name))


def unsupported_media_type() -> ApiError:
    """Return the error for a body whose content type is not understood."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def expired(version: int, current: int) -> ApiError:
    """Return the error for a resource version that is no longer in the history."""
    return ApiError(410, "Expired", f"too old resource version: {version} ({current})")


def invalid(kind: str, name: str, *causes: tuple[str, str, str], group: str = "") -> ApiError:
    """Return the error for an object with wrong fields; a cause is (reason, field, message)."""
    sentences = [f"{field}: {message}" for _, field, message in causes]
    told = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [
        {"reason": reason, "message": message, "field": field} for reason, field, message in causes
    ]
    subject = f"{kind}.{group}" if group else kind
    return ApiError(422, "Invalid", f'{subject} "{name}" is invalid: {told}', details)
