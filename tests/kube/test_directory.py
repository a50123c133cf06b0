"""The live tree: what is told, when, to whom, and what happens when the cluster misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kube import backoff as backoff_module
from kube import directory as directory_module
from kube.clusters import Clusters
from kube.directory import (
    ClusterDirectory,
    DirectoryEvent,
    FeedState,
    PodsChanged,
    PodsGone,
    StateChanged,
)
from kube.pods import PodView
from kube.reviews import AccessReviews
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from tests.kube.apiserver import ApiServer, pod
from tests.kube.kubelet import Kubelet, eventually

ALICE = Identity("alice")
BOB = Identity("bob")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff_module, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(backoff_module, "LONGEST_SECONDS", 0.1)


@pytest.fixture
async def api(kubelet: Kubelet) -> ApiServer:
    server = ApiServer()
    kubelet.answer = server.answer
    for name, namespace in (("web", "shop"), ("job", "shop"), ("safe", "vault")):
        await server.put(pod(name, namespace))
    return server


@pytest.fixture
async def directory(api: ApiServer, clusters: Clusters) -> AsyncIterator[ClusterDirectory]:
    async with ClusterDirectory(clusters, AccessReviews(clusters), linger=0.1) as opened:
        yield opened


@pytest.fixture
async def personal(api: ApiServer, impersonating: Clusters) -> AsyncIterator[ClusterDirectory]:
    reviews = AccessReviews(impersonating)
    async with ClusterDirectory(impersonating, reviews, linger=0.1) as opened:
        yield opened


class Reader:
    """Follows the events and keeps the picture that they paint."""

    def __init__(self, events: AsyncIterator[DirectoryEvent]) -> None:
        self._events = events
        self.pods: dict[str, PodView] = {}
        self.state: StateChanged | None = None
        self.resets = 0
        self.seen: list[DirectoryEvent] = []

    async def until(self, condition: Any, seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                await self.next()

    async def next(self) -> DirectoryEvent:
        event = await anext(self._events)
        self.seen.append(event)
        match event:
            case StateChanged():
                self.state = event
            case PodsChanged(reset, pods):
                if reset:
                    self.pods.clear()
                    self.resets += 1
                self.pods.update((item.uid, item) for item in pods)
            case PodsGone(uids):
                for uid in uids:
                    del self.pods[uid]
        return event

    @property
    def names(self) -> set[str]:
        return {item.name for item in self.pods.values()}

    @property
    def is_live(self) -> bool:
        return self.state is not None and self.state.state is FeedState.LIVE


@asynccontextmanager
async def following(directory: ClusterDirectory, api: ApiServer) -> AsyncIterator[Reader]:
    """Watch as Alice; the block begins when all was listed and a watch is open."""
    async with directory.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.resets)
        await eventually(lambda: bool(api.open_watches))
        yield reader


async def test_a_reader_gets_everything_once_and_then_the_changes(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with directory.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.resets)
        assert reader.names == {"web", "job", "safe"}
        assert reader.is_live
        assert reader.state is not None
        assert reader.state.namespaces == ("shop", "vault")
        assert isinstance(reader.seen[0], StateChanged)

        await eventually(lambda: bool(api.open_watches))
        await api.put(pod("new"))
        await api.put(pod("web", phase="Failed"))
        await api.remove("uid-job")
        await reader.until(
            lambda r: r.names == {"web", "new", "safe"} and r.pods["uid-web"].phase == "Failed"
        )
        assert reader.resets == 1
    assert api.lists == [""]


async def test_all_readers_share_one_list_and_watch(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with directory.watch("it", ALICE) as first, directory.watch("it", BOB) as second:
        for events in (first, second):
            await Reader(events).until(lambda r: r.resets)
        async with directory.watch("it", ALICE) as late:
            await Reader(late).until(lambda r: r.resets and r.is_live)
    async with directory.watch("it", ALICE) as again:
        await Reader(again).until(lambda r: r.resets)

    assert api.lists == [""]
    assert len(api.watches) <= 1


async def test_nothing_is_watched_a_while_after_the_last_reader_left(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with following(directory, api):
        pass

    await eventually(lambda: not api.open_watches)
    async with directory.watch("it", ALICE) as events:
        await Reader(events).until(lambda r: r.resets)
    assert api.lists == ["", ""]


async def test_a_reader_sees_only_the_namespaces_that_its_grants_let_through(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with directory.watch("it", ALICE, lambda namespace: namespace == "vault") as events:
        reader = Reader(events)
        await reader.until(lambda r: r.resets)
        assert reader.names == {"safe"}
        assert reader.state is not None
        assert reader.state.namespaces == ("vault",)

        await eventually(lambda: bool(api.open_watches))
        await api.put(pod("web", phase="Failed"))
        await api.remove("uid-web")
        await api.put(pod("safe", "vault", phase="Failed"))
        await reader.until(lambda r: r.pods["uid-safe"].phase == "Failed")
        assert not [event for event in reader.seen if isinstance(event, PodsGone)]


async def test_each_person_is_shown_what_the_cluster_lets_them_list(
    api: ApiServer, personal: ClusterDirectory
) -> None:
    allowed = {"alice": {"shop"}, "bob": {"vault"}, "": {"namespaces"}}

    def may(who: str, asked: dict[str, Any]) -> bool:
        return asked.get("namespace", asked["resource"]) in allowed.get(who, ())

    api.may = may
    for identity, names in ((ALICE, {"web", "job"}), (BOB, {"safe"})):
        async with personal.watch("it", identity) as events:
            reader = Reader(events)
            await reader.until(lambda r: r.resets)
            assert reader.names == names

    async with personal.watch("it", Identity("eve")) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.is_live)
        assert reader.state is not None
        assert reader.state.namespaces == ()
        assert "no namespace" in reader.state.message


async def test_a_lost_right_takes_the_pods_away_and_a_new_one_brings_others(
    api: ApiServer, personal: ClusterDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_module, "PLAN_SECONDS", 0.05)
    spaces = {"shop"}
    api.may = lambda who, asked: (
        asked["resource"] == "namespaces" or asked.get("namespace") in spaces
    )
    async with personal.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.names == {"web", "job"})

        spaces.add("vault")
        await reader.until(lambda r: r.names == {"web", "job", "safe"})
        spaces.remove("shop")
        await reader.until(lambda r: r.names == {"safe"})
        assert reader.state is not None
        assert reader.resets == 1


@pytest.mark.parametrize("is_cut", [True, False])
async def test_a_narrower_view_forgets_what_went_meanwhile(
    api: ApiServer, personal: ClusterDirectory, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    monkeypatch.setattr(directory_module, "PLAN_SECONDS", 0.05)
    is_narrow = False
    api.may = lambda who, asked: (
        asked["resource"] == "namespaces" or not is_narrow or asked.get("namespace") == "shop"
    )
    async with personal.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.names == {"web", "job", "safe"})
        await eventually(lambda: bool(api.open_watches))

        is_narrow = True
        del api.pods["uid-job"]
        if is_cut:
            api.cut()

        await reader.until(lambda r: r.names == {"web"} and r.is_live)
        assert reader.resets == 1


async def test_a_broken_watch_goes_on_where_it_was(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with following(directory, api) as reader:
        await api.put(pod("new"))
        await reader.until(lambda r: "new" in r.names)

        api.cut()
        await eventually(lambda: len(api.watches) == 2 and bool(api.open_watches))

    assert api.watches[1] == str(api.version)
    assert api.lists == [""]


async def test_a_bookmark_moves_the_place_to_go_on_from(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with directory.watch("it", ALICE) as events:
        await Reader(events).until(lambda r: r.resets)
        await eventually(lambda: bool(api.open_watches))
        await api.tell("BOOKMARK", {"metadata": {"resourceVersion": "4711"}})
        await asyncio.sleep(0.05)
        api.cut()
        await eventually(lambda: len(api.watches) >= 2)

    assert api.watches[1] == "4711"


@pytest.mark.parametrize("is_event", [True, False])
async def test_a_forgotten_version_is_listed_again_and_only_the_difference_is_told(
    api: ApiServer, directory: ClusterDirectory, is_event: bool
) -> None:
    async with following(directory, api) as reader:
        del api.pods["uid-job"]
        api.pods["uid-new"] = pod("new")
        if is_event:
            await api.tell("ERROR", {"code": 410, "message": "too old", "metadata": {}})
        else:
            api.expired = True
            api.cut()

        await reader.until(lambda r: r.names == {"web", "safe", "new"})

        assert reader.resets == 1
        changed = [e for e in reader.seen if isinstance(e, PodsChanged) and not e.reset]
        assert [item.name for event in changed for item in event.pods] == ["new"]


async def test_a_cluster_that_goes_and_comes_back_is_told(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with following(directory, api) as reader:
        api.down = True
        api.cut()
        await reader.until(lambda r: r.state and r.state.state is FeedState.RECONNECTING)
        assert reader.state is not None
        assert reader.state.message
        assert reader.names == {"web", "job", "safe"}
        api.down = False
        await reader.until(lambda r: r.is_live)


async def test_a_cluster_that_is_away_at_first_is_failed_and_tried_again(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    api.down = True
    async with directory.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.state and r.state.state is FeedState.FAILED)
        api.down = False
        await reader.until(lambda r: r.is_live and r.names)


async def test_large_lists_come_in_pages(api: ApiServer, directory: ClusterDirectory) -> None:
    api.page = 2
    async with directory.watch("it", ALICE) as events:
        reader = Reader(events)
        await reader.until(lambda r: r.resets)

    assert reader.names == {"web", "job", "safe"}
    assert len(api.lists) == 2


async def test_a_slow_reader_is_told_the_newest_state_of_each_pod_once(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with directory.watch("it", ALICE) as slow, directory.watch("it", ALICE) as fast:
        slow_reader, fast_reader = Reader(slow), Reader(fast)
        for reader in (slow_reader, fast_reader):
            await reader.until(lambda r: r.resets)
        await eventually(lambda: bool(api.open_watches))
        for number in range(200):
            await api.put(pod("web", phase=f"Phase{number}"))
        await api.put(pod("brief"))
        await api.remove("uid-brief")
        await fast_reader.until(lambda r: r.pods["uid-web"].phase == "Phase199")
        await api.put(pod("last"))
        await fast_reader.until(lambda r: "last" in r.names)

        event = await slow_reader.next()

        assert isinstance(event, PodsChanged)
        assert sorted(item.name for item in event.pods) == ["last", "web"]
        assert slow_reader.pods["uid-web"].phase == "Phase199"


async def test_a_change_that_nobody_can_see_is_not_told(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with following(directory, api) as reader:
        same = pod("web")
        same["metadata"]["annotations"] = {"heartbeat": "2"}
        await api.put(same)
        await api.put(pod("new"))
        await reader.until(lambda r: "new" in r.names)

    changed = [e for e in reader.seen if isinstance(e, PodsChanged) and not e.reset]
    assert [item.name for event in changed for item in event.pods] == ["new"]


async def test_an_event_that_makes_no_sense_is_survived_by_listing_again(
    api: ApiServer, directory: ClusterDirectory
) -> None:
    async with following(directory, api) as reader:
        await api.tell("ADDED", {"metadata": {"namespace": "shop"}})
        await eventually(lambda: len(api.lists) == 2)
        await reader.until(lambda r: r.is_live)


async def test_an_unknown_cluster_is_refused(directory: ClusterDirectory) -> None:
    with pytest.raises(StreamRefused):
        async with directory.watch("no", ALICE):
            pass
