"""Debug containers: made by patch, checked, waited for, and every way to fail."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from kube import debug as debug_module
from kube.clusters import Clusters
from kube.debug import DebugContainers
from protocol.execution import Refusal
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target
from tests.kube.apiserver import pod
from tests.kube.kubelet import Kubelet, answering, status_response

ALICE = Identity("alice")
TARGET = Target("it", "shop", "web-1", "web")


class PodWithDebug:
    """Answers PATCH and GET for one pod; `states` are what GET tells, the last one again."""

    def __init__(self, *states: dict[str, Any], takes: bool = True) -> None:
        self.states = list(states)
        self.takes = takes
        self.patches: list[dict[str, Any]] = []
        self.requests: list[web.Request] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        item = pod("web-1")
        if request.method == "PATCH":
            self.patches.append(await request.json())
        if self.takes:
            made = self.patches[-1]["spec"]["ephemeralContainers"]
            item["spec"]["ephemeralContainers"] = made
            if request.method == "GET":
                state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
                item["status"]["ephemeralContainerStatuses"] = [
                    {"name": made[0]["name"], "state": state}
                ]
        return web.json_response(item)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debug_module, "POLL_SECONDS", 0.01)


async def start(clusters: Clusters, **more: Any) -> str:
    return await DebugContainers(clusters).start(TARGET, ALICE, image="busybox:1", **more)


async def refusal_of(clusters: Clusters, **more: Any) -> StreamRefused:
    with pytest.raises(StreamRefused) as caught:
        await start(clusters, **more)
    return caught.value


async def test_it_is_made_beside_its_target_and_runs(kubelet: Kubelet, clusters: Clusters) -> None:
    answer = PodWithDebug({"waiting": {"reason": "ContainerCreating"}}, {}, {"running": {}})
    kubelet.answer = answer

    name = await start(clusters)
    other = await start(clusters)

    [made] = answer.patches[0]["spec"]["ephemeralContainers"]
    assert made["name"] == name != other
    assert (made["image"], made["targetContainerName"]) == ("busybox:1", "web")
    assert made["stdin"] is made["tty"] is True
    patch = answer.requests[0]
    assert patch.path == "/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers"
    assert patch.content_type == "application/strategic-merge-patch+json"


async def test_a_server_that_says_yes_and_does_nothing_is_found_out(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    kubelet.answer = PodWithDebug(takes=False)

    assert "too old" in (await refusal_of(clusters)).message


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"waiting": {"reason": "ImagePullBackOff"}}, "ImagePullBackOff"),
        ({"terminated": {"exitCode": 127}}, "exit code 127"),
        ({"waiting": {"reason": "ContainerCreating"}}, "within 0.1 s: ContainerCreating"),
    ],
)
async def test_one_that_does_not_run_says_why(
    kubelet: Kubelet, clusters: Clusters, state: dict[str, Any], words: str
) -> None:
    kubelet.answer = PodWithDebug(state)

    assert words in (await refusal_of(clusters, seconds=0.1)).message


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (
            lambda: status_response(
                403,
                "Forbidden",
                'pods "web-1" is forbidden: User "alice" cannot patch resource '
                '"pods/ephemeralcontainers" in API group "" in the namespace "shop"',
            ),
            Refusal.FORBIDDEN,
            "patch on pods/ephemeralcontainers",
        ),
        (
            lambda: status_response(404, "NotFound", "not found", {"name": "web-1"}),
            Refusal.POD_NOT_FOUND,
            "not exist",
        ),
        (
            lambda: status_response(404, "NotFound", "the server could not find it"),
            Refusal.OTHER,
            "does not offer",
        ),
        (
            lambda: status_response(422, "Invalid", "targetContainerName: Not found"),
            Refusal.OTHER,
            "targetContainerName",
        ),
    ],
)
async def test_a_refusal_is_typed(
    kubelet: Kubelet, clusters: Clusters, response: Any, kind: Refusal, words: str
) -> None:
    kubelet.answer = answering(response)

    error = await refusal_of(clusters)

    assert error.refused.kind is kind
    assert words in error.message
