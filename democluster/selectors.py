"""Label and field selectors of list and watch requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from democluster.objects import JsonObject
from democluster.status import bad_request

Predicate = Callable[[JsonObject], bool]

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUALITY = re.compile(r"^(?P<key>[^\s=!]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s=!]*)$")
_EXISTS = re.compile(r"^(?P<not>!?)\s*(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)$")

_FIELDS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset(
        {"spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"}
        | {"status.podIP"}
    ),
    "Event": frozenset(
        {"involvedObject.kind", "involvedObject.name", "involvedObject.namespace"}
        | {"involvedObject.uid", "involvedObject.apiVersion", "involvedObject.fieldPath"}
        | {"involvedObject.resourceVersion", "reason", "type", "source", "reportingComponent"}
    ),
    "Namespace": frozenset({"status.phase"}),
}
_COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})


def label_selector(text: str) -> Predicate:
    """Return a predicate for a selector such as `app=web,tier in (a,b),!old`. Raises ApiError."""
    requirements = [_label_requirement(part.strip()) for part in _split(text) if part.strip()]
    return lambda item: all(
        requirement(item["metadata"].get("labels") or {}) for requirement in requirements
    )


def field_selector(text: str, kind: str) -> Predicate:
    """Return a predicate for a selector such as `metadata.name=web`. Raises ApiError."""
    tests: list[tuple[str, bool, str]] = []
    for part in filter(None, text.split(",")):
        match = _EQUALITY.match(part.strip())
        if match is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        if match["key"] not in _COMMON_FIELDS | _FIELDS.get(kind, frozenset()):
            raise bad_request(f"field label not supported: {match['key']}")
        tests.append((match["key"], match["op"] != "!=", match["value"]))
    return lambda item: all(
        (_field(item, path) == value) is wanted for path, wanted, value in tests
    )


def matches_labels(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Tell whether labels match a `matchLabels` / `matchExpressions` selector."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        key, values = expression["key"], expression.get("values") or []
        matched = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[expression["operator"]]
        if not matched:
            return False
    return True


def _split(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


def _label_requirement(part: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUALITY.match(part):
        key, value = match["key"], match["value"]
        if match["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.match(part):
        key = match["key"]
        if match["not"]:
            return lambda labels: key not in labels
        return lambda labels: key in labels
    raise bad_request(f"unable to parse requirement: found '{part}', expected: identifier")


def _field(item: JsonObject, path: str) -> str:
    value: Any = item
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
