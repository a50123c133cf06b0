"""Access reviews: questions about what somebody may do, and about who one is."""

from __future__ import annotations

from collections.abc import Mapping

from democluster.objects import JsonObject, now
from democluster.rbac import Attributes, Decision, User, authorize, rules_for
from democluster.resources import Resource
from democluster.status import bad_request, invalid
from democluster.store import Store

_GROUP = "authorization.k8s.io"


def review(store: Store, user: User, resource: Resource, body: JsonObject) -> JsonObject:
    """Return the answered review. Raises ApiError 400 or 422 for one that asks nothing."""
    spec: JsonObject = body.get("spec") or {}
    answer: JsonObject = {
        "kind": resource.kind,
        "apiVersion": resource.group_version,
        "metadata": {},
    }
    match resource.plural:
        case "selfsubjectreviews":
            answer["metadata"] = {"creationTimestamp": now()}
            about: JsonObject = {"username": user.name}
            if user.uid:
                about["uid"] = user.uid
            answer["status"] = {"userInfo": about | {"groups": list(user.groups)}}
        case "selfsubjectrulesreviews":
            answer |= {"spec": {}, "status": _rules(store, user, spec)}
        case "selfsubjectaccessreviews":
            answer |= {"spec": spec, "status": _access(store, user, spec)}
        case _:
            if not spec.get("user") and not spec.get("groups"):
                raise _invalid("spec.user", '""', "at least one of user or group must be specified")
            subject = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
            answer |= {"spec": spec, "status": _access(store, subject, spec)}
    return answer


def _access(store: Store, user: User, spec: JsonObject) -> JsonObject:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (other is None):
        raise _invalid(
            "spec.resourceAttributes",
            "null",
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
    wanted = _resource_attributes(resource) if resource is not None else _path_attributes(other)
    decision: Decision = authorize(store, user, wanted)
    status: JsonObject = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return status


def _resource_attributes(asked: Mapping[str, str]) -> Attributes:
    return Attributes(
        asked.get("verb", ""),
        asked.get("group", ""),
        asked.get("resource", ""),
        asked.get("subresource", ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
    )


def _path_attributes(asked: Mapping[str, str] | None) -> Attributes:
    asked = asked or {}
    return Attributes(asked.get("verb", ""), path=asked.get("path", ""))


def _rules(store: Store, user: User, spec: JsonObject) -> JsonObject:
    namespace = spec.get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    rules = [binding.rule for binding in rules_for(store, user, namespace)]
    return {
        "resourceRules": [rule for rule in rules if "nonResourceURLs" not in rule],
        "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
        "incomplete": False,
    }


def _invalid(field: str, value: str, message: str) -> Exception:
    cause = ("FieldValueInvalid", field, f"Invalid value: {value}: {message}")
    return invalid("", "", cause, group=_GROUP)
