"""Merge patches: RFC 7386 and the strategic kind, in which lists of named things merge by name."""

from __future__ import annotations

import copy
from typing import Any

from democluster.objects import JsonObject

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

_MERGE_KEYS = ("name", "ip", "containerPort", "mountPath", "key")


def apply_patch(target: JsonObject, patch: JsonObject, content_type: str) -> JsonObject:
    """Return `target` after the patch. Lists merge by their merge key if the patch is strategic."""
    merged: JsonObject = _merge(copy.deepcopy(target), patch, content_type == STRATEGIC)
    return merged


def _merge(target: Any, patch: Any, strategic: bool) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if not isinstance(target, dict):
        target = {}
    for key, value in patch.items():
        if key.startswith("$") and strategic:
            continue
        if value is None:
            target.pop(key, None)
        elif strategic and isinstance(value, list) and isinstance(target.get(key), list):
            target[key] = _merge_lists(target[key], value)
        else:
            target[key] = _merge(target.get(key), value, strategic)
    return target


def _merge_lists(target: list[Any], patch: list[Any]) -> list[Any]:
    items = [item for item in (*target, *patch) if not isinstance(item, dict)]
    if items or not patch:
        return copy.deepcopy(patch)
    merge_key = next((key for key in _MERGE_KEYS if all(key in item for item in patch)), None)
    if merge_key is None:
        return copy.deepcopy(patch)
    merged = list(target)
    for item in patch:
        at = next((i for i, old in enumerate(merged) if old.get(merge_key) == item[merge_key]), -1)
        if item.get("$patch") == "delete":
            if at >= 0:
                del merged[at]
        elif at >= 0:
            merged[at] = _merge(merged[at], item, True)
        else:
            merged.append(copy.deepcopy(item))
    return merged
