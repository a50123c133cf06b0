"""The store: versions, history and what watches are told."""

from __future__ import annotations

import pytest

from democluster.objects import JsonObject
from democluster.resources import CONFIG_MAPS
from democluster.status import ApiError
from democluster.store import MAX_HISTORY, Store

KEY = ("shop", "map")


def made(store: Store) -> JsonObject:
    return store.create(CONFIG_MAPS, {"metadata": {"namespace": "shop", "name": "map"}, "data": {}})


def put(store: Store, value: str) -> JsonObject:
    return store.update(CONFIG_MAPS, KEY, lambda item: item["data"].update(a=value))


async def test_every_change_takes_the_next_version() -> None:
    store = Store()
    first = int(made(store)["metadata"]["resourceVersion"])

    assert int(put(store, "1")["metadata"]["resourceVersion"]) == first + 1
    assert int(put(store, "1")["metadata"]["resourceVersion"]) == first + 1
    assert store.version == first + 1


async def test_object_that_was_read_never_changes() -> None:
    store = Store()
    made(store)
    before = store.get(CONFIG_MAPS, *KEY)

    put(store, "1")

    assert before["data"] == {}
    assert store.get(CONFIG_MAPS, *KEY)["data"] == {"a": "1"}


async def test_changes_after_a_version_are_told_in_order() -> None:
    store = Store()
    start = store.version
    made(store)
    put(store, "1")
    store.delete(CONFIG_MAPS, KEY)

    changes = list(store.changes_after(CONFIG_MAPS, start))

    assert [change.type for change in changes] == ["ADDED", "MODIFIED", "DELETED"]
    assert [change.version for change in changes] == [start + 1, start + 2, start + 3]
    assert list(store.changes_after(CONFIG_MAPS, start + 2)) == changes[2:]


async def test_version_before_the_history_has_expired() -> None:
    store = Store()
    start = store.version
    made(store)
    for number in range(MAX_HISTORY):
        put(store, str(number))

    with pytest.raises(ApiError) as raised:
        store.changes_after(CONFIG_MAPS, start)

    assert raised.value.code == 410
    assert raised.value.body["reason"] == "Expired"
    assert len(list(store.changes_after(CONFIG_MAPS, start + 1))) == MAX_HISTORY


async def test_waiting_is_woken_by_the_next_change_only() -> None:
    store = Store()
    changed = store.changed
    assert not changed.is_set()

    made(store)

    assert changed.is_set()
    assert not store.changed.is_set()
