"""Role-based access control: what the roles and bindings in the store allow whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from democluster.objects import JsonObject
from democluster.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
    Resource,
)
from democluster.status import ApiError
from democluster.store import Store

SUPERUSERS = "system:masters"
"""The group that may do everything, whatever the roles say."""


@dataclass(frozen=True, slots=True)
class User:
    """Who makes a request."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do: to a resource, or (with `path`) to an address that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """The resource with its subresource, as rules and messages write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the request is allowed, and by what."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A rule that applies to a user, and where it came from."""

    rule: JsonObject
    reason: str


def authorize(store: Store, user: User, wanted: Attributes) -> Decision:
    """Return whether the roles allow `user` what is wanted."""
    if SUPERUSERS in user.groups:
        return Decision(True)
    for binding in rules_for(store, user, wanted.namespace):
        if _rule_allows(binding.rule, wanted):
            return Decision(True, binding.reason)
    return Decision(False)


def require(store: Store, user: User, wanted: Attributes) -> None:
    """Raise the ApiError 403 of a real API server unless `user` may do what is wanted."""
    if not authorize(store, user, wanted).allowed:
        raise forbidden(user, wanted)


def forbidden(user: User, wanted: Attributes) -> ApiError:
    """Return the refusal, in the words of a real API server."""
    if wanted.path:
        message = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"'
        return ApiError(403, "Forbidden", message, {})
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    subject = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    if wanted.name:
        subject += f' "{wanted.name}"'
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource '
        f'"{wanted.full_resource}" in API group "{wanted.group}" {where}'
    )
    return ApiError(403, "Forbidden", message, _details(wanted))


def forbidden_without_reason(resource: Resource, name: str) -> ApiError:
    """Return the refusal of exec and attach to somebody who has `get` but not `create`."""
    wanted = Attributes("create", resource.group, resource.plural, name=name)
    subject = f'{resource.qualified} "{name}"'
    return ApiError(403, "Forbidden", f"{subject} is forbidden: ", _details(wanted))


def rules_for(store: Store, user: User, namespace: str) -> Iterator[Binding]:
    """Yield every rule that applies to `user` in a namespace (empty: at the cluster scope)."""
    if SUPERUSERS in user.groups:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        yield Binding(everything, "")
        yield Binding({"verbs": ["*"], "nonResourceURLs": ["*"]}, "")
    for binding in store.list(CLUSTER_ROLE_BINDINGS):
        subject = _subject_of(binding, user)
        role = store.find(CLUSTER_ROLES, "", binding["roleRef"]["name"])
        if subject and role:
            name = binding["metadata"]["name"]
            yield from _bindings("ClusterRoleBinding", name, role, subject)
    if not namespace:
        return
    for binding in store.list(ROLE_BINDINGS, namespace):
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            role = store.find(CLUSTER_ROLES, "", reference["name"])
        else:
            role = store.find(ROLES, namespace, reference["name"])
        subject = _subject_of(binding, user)
        if subject and role:
            name = f"{binding['metadata']['name']}/{namespace}"
            yield from _bindings("RoleBinding", name, role, subject)


def _bindings(kind: str, name: str, role: JsonObject, subject: str) -> Iterator[Binding]:
    reason = (
        f'RBAC: allowed by {kind} "{name}" of {role["kind"]} "{role["metadata"]["name"]}" '
        f"to {subject}"
    )
    for rule in role.get("rules") or []:
        yield Binding(rule, reason)


def _subject_of(binding: JsonObject, user: User) -> str:
    for subject in binding.get("subjects") or []:
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            full = f"system:serviceaccount:{subject.get('namespace', '')}:{name}"
            if full == user.name:
                return f'ServiceAccount "{name}/{subject.get("namespace", "")}"'
    return ""


def _rule_allows(rule: JsonObject, wanted: Attributes) -> bool:
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(
            allowed in ("*", wanted.path)
            or (allowed.endswith("*") and wanted.path.startswith(allowed[:-1]))
            for allowed in rule.get("nonResourceURLs") or []
        )
    resources = rule.get("resources")
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and (
            _has(resources, wanted.full_resource)
            or bool(wanted.subresource and f"*/{wanted.subresource}" in (resources or []))
        )
        and (not names or wanted.name in names)
    )


def _has(allowed: list[str] | None, value: str) -> bool:
    return bool(allowed) and ("*" in (allowed or []) or value in (allowed or []))


def _details(wanted: Attributes) -> JsonObject:
    details: JsonObject = {}
    if wanted.name:
        details["name"] = wanted.name
    if wanted.group:
        details["group"] = wanted.group
    details["kind"] = wanted.resource
    return details
