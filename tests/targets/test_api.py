"""targets.api: clusters, favourites, recents, preferences and debug containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.urls import path
from ninja import NinjaAPI

from access.audit import EventTag
from access.login import digest_of, person_of
from access.models import AuditEvent, Ticket
from access.signals import program_known, target_used
from config import api as config_api
from protocol.errors import PeerVisibleError
from protocol.target import Target
from targets.api import build_router
from targets.recents import MAX_RECENTS, remember
from tests.targets.fakes import FakeDebug, FakeDirectory, FakePods, FakeRights

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = {"cluster": "demo", "namespace": "shop", "pod": "web-1", "container": "web"}
directory, rights, pods, debug = FakeDirectory(), FakeRights(), FakePods(), FakeDebug()
api = NinjaAPI(urls_namespace="targets-test", auth=person_of, docs_url=None, openapi_url=None)
api.add_router("", build_router(directory, rights, pods, debug))
api.exception_handler(PeerVisibleError)(config_api._visible)
urlpatterns = [path("api/", api.urls)]


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    rights.denied.clear()
    debug.started.clear()
    pods.asked = 0
    pods.found = {"app": "web"}


def send(client: Client, method: str, address: str, body: object = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, address, data=data, content_type="application/json")


@pytest.fixture
def hers(alice: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(alice)


@pytest.fixture
def his(bob: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(bob)


async def asend(user: Any, method: str, address: str, body: object = None) -> Any:
    client = AsyncClient()
    await client.aforce_login(user)
    data = "" if body is None else json.dumps(body)
    return await client.generic(method, address, data=data, content_type="application/json")


async def test_clusters_are_those_with_a_grant(alice: Any, charlie: Any) -> None:
    answer = await asend(alice, "GET", "/api/clusters")

    assert answer.json() == [
        {"name": "demo", "identity": "service-account", "server_version": "v1.35.4"}
    ]
    assert (await asend(charlie, "GET", "/api/clusters")).json() == []


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/api/clusters"),
        ("GET", "/api/favourites"),
        ("PUT", "/api/favourites"),
        ("DELETE", "/api/favourites?cluster=a&namespace=b&container=c"),
        ("GET", "/api/recents"),
        ("GET", "/api/preferences"),
        ("PUT", "/api/preferences"),
        ("POST", "/api/debug-containers"),
    ],
)
async def test_nobody_gets_anything_without_signing_in(method: str, address: str) -> None:
    answer = await AsyncClient().generic(method, address, "{}", "application/json")

    assert answer.status_code == 401


def test_favourites_are_kept_once_and_are_one_s_own(hers: Client, his: Client) -> None:
    assert send(hers, "PUT", "/api/favourites", PLACE).status_code == 204
    assert send(hers, "PUT", "/api/favourites", PLACE).status_code == 204

    assert hers.get("/api/favourites").json() == [PLACE]
    assert his.get("/api/favourites").json() == []
    query = "/api/favourites?cluster=demo&namespace=shop&container=web&pod=web-1"
    assert send(his, "DELETE", query).status_code == 204
    assert hers.get("/api/favourites").json() == [PLACE]
    assert send(hers, "DELETE", query).status_code == 204
    assert hers.get("/api/favourites").json() == []


def test_a_favourite_workload_is_removed_whatever_pod_it_had(hers: Client) -> None:
    send(hers, "PUT", "/api/favourites", {**PLACE, "workload": "Deployment/web"})

    assert hers.get("/api/favourites").json() == [{**PLACE, "workload": "Deployment/web"}]
    send(
        hers,
        "DELETE",
        "/api/favourites?cluster=demo&namespace=shop&workload=Deployment/web&container=web",
    )
    assert hers.get("/api/favourites").json() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"pod": "../etc"},
        {"pod": ""},
        {"namespace": "A B"},
        {"container": "-x"},
        {"workload": "web"},
        {"workload": "Deployment/../x"},
    ],
)
def test_names_that_kubernetes_could_not_have_given_are_refused(
    hers: Client, wrong: dict[str, str]
) -> None:
    assert send(hers, "PUT", "/api/favourites", {**PLACE, **wrong}).status_code == 400


async def test_a_recent_learns_which_shell_auto_became(hers: Client, alice: Any) -> None:
    target = Target("demo", "shop", "web-1", "web")
    told = {"user_id": alice.pk, "target": target}

    await target_used.asend(None, **told, kind="exec", shell="auto", program="")
    await program_known.asend(None, **told, program="bash")
    found = await sync_to_async(hers.get)("/api/recents")

    assert [(row["shell"], row["program"]) for row in found.json()] == [("auto", "bash")]


def test_recents_are_the_newest_twenty_once_each(hers: Client, alice: Any) -> None:
    for number in range(MAX_RECENTS + 5):
        remember(alice.pk, Target("demo", "shop", f"web-{number}", "web"), "exec", "bash")
    remember(alice.pk, Target("demo", "shop", "web-10", "web"), "attach", "")

    found = hers.get("/api/recents").json()

    assert len(found) == MAX_RECENTS
    assert found[0]["target"]["pod"] == "web-10"
    assert found[0]["kind"] == "attach"
    assert [recent["target"]["pod"] for recent in found].count("web-10") == 1


async def test_whatever_is_opened_is_remembered(alice: Any) -> None:
    from access.signals import target_used

    await target_used.asend(
        sender=None, user_id=alice.pk, target=Target.of(**PLACE), kind="exec", shell="sh"
    )

    (recent,) = (await asend(alice, "GET", "/api/recents")).json()
    assert recent["target"] == PLACE


def test_preferences_are_one_s_own_and_small(hers: Client, his: Client) -> None:
    assert hers.get("/api/preferences").json() == {}
    assert send(hers, "PUT", "/api/preferences", {"font": 13}).json() == {"font": 13}

    assert hers.get("/api/preferences").json() == {"font": 13}
    assert his.get("/api/preferences").json() == {}
    assert send(hers, "PUT", "/api/preferences", {"a": "x" * 9000}).status_code == 400
    assert send(hers, "PUT", "/api/preferences", [1]).status_code in (400, 422)
    assert hers.get("/api/preferences").json() == {"font": 13}


async def test_a_debug_container_is_made_and_noted(alice: Any, settings: Any) -> None:
    settings.HATCHWAY_DEBUG_IMAGES = ("busybox:1.36", "netshoot:1")

    answer = await asend(alice, "POST", "/api/debug-containers", {"target": PLACE, "image": None})

    assert answer.status_code == 201
    assert answer.json()["target"] == {**PLACE, "container": "hatchway-debug-00ff00ff"}
    proof = await Ticket.objects.aget(digest=digest_of(answer.json()["made"]))
    assert (proof.user_id, proof.purpose) == (alice.pk, "made")
    assert proof.payload == {"target": "demo/shop/web-1/hatchway-debug-00ff00ff"}
    ((target, identity, image),) = debug.started
    assert (target, identity.user, image) == (Target.of(**PLACE), "alice", "busybox:1.36")
    event = await AuditEvent.objects.filter(tag=EventTag.DEBUG_CONTAINER_CREATE).aget()
    assert (event.username, event.grant, event.data["image"]) == (
        "alice",
        "shop operators",
        "busybox:1.36",
    )


async def test_an_image_that_is_not_configured_is_refused(alice: Any) -> None:
    body = {"target": PLACE, "image": "evil/miner"}

    answer = await asend(alice, "POST", "/api/debug-containers", body)

    assert answer.status_code == 400
    assert debug.started == []


async def test_without_a_grant_the_cluster_is_not_even_asked(bob: Any, charlie: Any) -> None:
    for user in (bob, charlie):
        answer = await asend(user, "POST", "/api/debug-containers", {"target": PLACE})

        assert answer.status_code == 403
        assert answer.json()["error"]["data"]["action"] == "debug"
    assert (debug.started, pods.asked) == ([], 0)
    assert await AuditEvent.objects.filter(tag=EventTag.ACCESS_REFUSED).acount() == 2


async def test_labels_are_read_before_a_selector_lets_somebody_in(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    from asgiref.sync import sync_to_async

    from access.actions import Action

    await sync_to_async(make_grant)(charlie, Action.DEBUG, labels="app=web")
    pods.found = {"app": "vault"}

    answer = await asend(charlie, "POST", "/api/debug-containers", {"target": PLACE})

    assert answer.status_code == 403
    assert debug.started == []


async def test_what_the_cluster_denies_is_refused_and_noted(alice: Any) -> None:
    rights.denied["shop", "debug"] = "pods/ephemeralcontainers is missing"

    answer = await asend(alice, "POST", "/api/debug-containers", {"target": PLACE})

    assert answer.status_code == 403
    assert "ephemeralcontainers" in answer.json()["error"]["message"]
    assert debug.started == []
    assert await AuditEvent.objects.filter(tag=EventTag.ACCESS_REFUSED).aexists()
