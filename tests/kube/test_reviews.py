"""Access reviews: both verbs, as the person, and not asked again for a while."""

from __future__ import annotations

from typing import Any

import pytest

from kube import reviews as reviews_module
from kube.clusters import Clusters
from kube.reviews import CACHE_SECONDS, AccessReviews, Allowed, Denied
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target
from tests.kube.apiserver import ApiServer
from tests.kube.kubelet import Kubelet, answering, status_response

ALICE = Identity("alice", ("team-a",))
BOB = Identity("bob")
TARGET = Target("it", "shop", "web-1", "web")


@pytest.fixture
def api(kubelet: Kubelet) -> ApiServer:
    server = ApiServer()
    kubelet.answer = server.answer
    return server


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(api: ApiServer) -> list[str]:
    return [f"{who}:{what['verb']} {what.get('subresource')}" for who, what in api.reviews]


async def test_exec_needs_get_and_create(api: ApiServer, impersonating: Clusters) -> None:
    assert await AccessReviews(impersonating).may_exec(TARGET, ALICE) == Allowed()

    assert asked(api) == ["alice:get exec", "alice:create exec"]
    assert api.reviews[0][1]["namespace"] == "shop"
    assert api.reviews[0][1]["name"] == "web-1"


@pytest.mark.parametrize("missing", ["get", "create"])
@pytest.mark.parametrize("action", ["exec", "attach"])
async def test_one_missing_verb_denies_and_is_named(
    api: ApiServer, impersonating: Clusters, missing: str, action: str
) -> None:
    api.may = lambda who, what: what["verb"] != missing
    reviews = AccessReviews(impersonating)
    ask = reviews.may_exec if action == "exec" else reviews.may_attach

    answer = await ask(TARGET, ALICE)

    assert isinstance(answer, Denied)
    assert f"{missing} on pods/{action} in namespace shop is missing for alice" in answer.reason


async def test_debug_needs_the_patch_and_the_attach(
    api: ApiServer, impersonating: Clusters
) -> None:
    assert await AccessReviews(impersonating).may_debug(TARGET, ALICE) == Allowed()

    assert asked(api) == [
        "alice:patch ephemeralcontainers",
        "alice:get attach",
        "alice:create attach",
    ]


async def test_an_answer_is_kept_for_half_a_minute(api: ApiServer, impersonating: Clusters) -> None:
    clock = Clock()
    reviews = AccessReviews(impersonating, clock=clock)

    async def ask(**more: Any) -> None:
        await reviews.may("it", ALICE, "shop", "list", "pods", **more)

    await ask()
    clock.now += CACHE_SECONDS - 1
    await ask()
    assert len(api.reviews) == 1
    await ask(fresh=True)
    assert len(api.reviews) == 2
    clock.now += CACHE_SECONDS + 1
    await ask()
    assert len(api.reviews) == 3
    reviews.forget(identity=ALICE)
    await ask()
    assert len(api.reviews) == 4


async def test_people_do_not_share_answers_where_the_cluster_knows_them(
    api: ApiServer, impersonating: Clusters, clusters: Clusters
) -> None:
    api.may = lambda who, what: who != "bob"
    personal, common = AccessReviews(impersonating), AccessReviews(clusters)

    assert await personal.may_exec(TARGET, ALICE) == Allowed()
    assert isinstance(await personal.may_exec(TARGET, BOB), Denied)
    api.reviews.clear()
    assert await common.may_exec(TARGET, ALICE) == await common.may_exec(TARGET, BOB)
    assert asked(api) == [":get exec", ":create exec"]


async def test_the_cache_is_bounded(
    api: ApiServer, impersonating: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews_module, "CACHE_ENTRIES", 2)
    reviews = AccessReviews(impersonating)

    for namespace in ("a", "b", "c", "c", "b", "a"):
        await reviews.may("it", ALICE, namespace, "list", "pods")

    assert [what["namespace"] for _, what in api.reviews] == ["a", "b", "c", "a"]


async def test_a_cluster_that_does_not_let_us_ask_denies(
    kubelet: Kubelet, impersonating: Clusters
) -> None:
    message = 'users "alice" is forbidden: User "hatchway" cannot impersonate resource "users"'
    kubelet.answer = answering(lambda: status_response(403, "Forbidden", message))

    answer = await AccessReviews(impersonating).may_exec(TARGET, ALICE)

    assert isinstance(answer, Denied)
    assert "impersonate on users" in answer.reason


async def test_a_cluster_that_is_away_is_no_denial(api: ApiServer, impersonating: Clusters) -> None:
    api.down = True

    with pytest.raises(StreamRefused):
        await AccessReviews(impersonating).may_exec(TARGET, ALICE)
