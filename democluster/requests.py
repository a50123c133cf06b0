"""What a request to the API is about: its path taken apart, and what it needs to be allowed."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from democluster import resources
from democluster.rbac import Attributes, User
from democluster.resources import NAMESPACES, Resource
from democluster.status import no_such_resource

_VERBS = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request for a resource, made by somebody."""

    http: web.Request
    user: User
    resource: Resource
    namespace: str
    name: str
    subresource: str
    verb: str

    @property
    def attributes(self) -> Attributes:
        """What the roles must allow."""
        # A namespace is in itself, so that a role inside it can allow to get it.
        inside = self.name if self.resource is NAMESPACES else self.namespace
        return Attributes(
            self.verb,
            self.resource.group,
            self.resource.plural,
            self.subresource,
            inside,
            self.name,
        )

    def flag(self, name: str) -> bool:
        """Return a boolean query parameter; present without a value means true."""
        value = self.http.query.get(name)
        return value is not None and value.lower() not in ("0", "f", "false")


def parse_path(http: web.Request, user: User) -> ApiRequest | None:
    """Return what the path of a request is about, or None if it is not about a resource.

    Raises ApiError 404 for an unknown resource of a group version that is served.
    """
    parts = [part for part in http.path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if (group, version) not in resources.GROUP_VERSIONS:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource = resources.find(group, version, rest[0])
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):
        raise no_such_resource()
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    return ApiRequest(http, user, resource, namespace, name, subresource, _verb(http, name))


def _verb(http: web.Request, name: str) -> str:
    if http.method in ("GET", "HEAD"):
        if name:
            return "get"
        return "watch" if http.query.get("watch", "") in ("1", "true", "True") else "list"
    if http.method == "DELETE" and not name:
        return "deletecollection"
    return _VERBS.get(http.method, http.method.lower())
