"""Patches merge objects, and lists of named things by name if they are strategic."""

from __future__ import annotations

from democluster.patch import MERGE, STRATEGIC, apply_patch


def test_null_removes_and_objects_merge() -> None:
    target = {"a": {"b": 1, "c": 2}, "d": 3}

    assert apply_patch(target, {"a": {"b": None, "e": 4}}, MERGE) == {"a": {"c": 2, "e": 4}, "d": 3}
    assert target == {"a": {"b": 1, "c": 2}, "d": 3}


def test_merge_patch_replaces_lists_and_strategic_merges_them_by_name() -> None:
    target = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "tty": True}, {"name": "c"}]}

    assert apply_patch(target, patch, MERGE) == patch
    assert apply_patch(target, patch, STRATEGIC) == {
        "containers": [{"name": "a", "image": "1", "tty": True}, {"name": "b"}, {"name": "c"}]
    }


def test_strategic_patch_deletes_by_directive() -> None:
    target = {"env": [{"name": "a"}, {"name": "b"}], "args": ["1"]}
    patch = {"env": [{"name": "a", "$patch": "delete"}], "args": ["2"], "$setElementOrder/env": []}

    assert apply_patch(target, patch, STRATEGIC) == {"env": [{"name": "b"}], "args": ["2"]}
