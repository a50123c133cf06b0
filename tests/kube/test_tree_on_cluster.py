"""The live tree, access reviews and debug containers against a real cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from kube.clusters import Clusters
from kube.connection import api_path
from kube.credentials import KubeconfigSource
from kube.debug import DebugContainers
from kube.directory import ClusterDirectory, DirectoryEvent, PodsChanged, PodsGone
from kube.exec import KubeExecBackend
from kube.kubeconfig import read_contexts
from kube.pods import PodView, pod_view
from kube.reviews import AccessReviews, Allowed, Denied
from protocol.execution import ExecRequest, Refusal
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.size import Size
from tests.kube.streams import ALICE, BOB, target_in

pytestmark = pytest.mark.cluster

EVE = Identity("eve")
BUSYBOX = "docker.io/library/busybox:latest"


def cluster_of(clusters: Clusters) -> str:
    return clusters.configs()[0].name


@asynccontextmanager
async def a_pod(clusters: Clusters, spec: dict[str, Any]) -> AsyncIterator[str]:
    """Make a pod in `default` and delete it at the end."""
    name = f"hatchway-test-{uuid4().hex[:8]}"
    connection = clusters.connection(cluster_of(clusters))
    pods = api_path("api", "v1", "namespaces", "default", "pods")
    body = {
        "metadata": {"name": name, "labels": {"hatchway-test": "yes"}},
        "spec": {"terminationGracePeriodSeconds": 0} | spec,
    }
    await connection.call("POST", pods, identity=None, body=body)
    try:
        yield name
    finally:
        await connection.call("DELETE", f"{pods}/{name}", identity=None)


def container(name: str, *command: str, image: str = BUSYBOX) -> dict[str, Any]:
    return {"name": name, "image": image, "imagePullPolicy": "Never", "command": list(command)}


async def first_pods(events: AsyncIterator[DirectoryEvent]) -> PodsChanged:
    while not isinstance(event := await anext(events), PodsChanged):
        pass
    return event


@pytest.mark.parametrize(
    ("identity", "namespaces"),
    [(ALICE, {"default", "shop"}), (BOB, {"shop"}), (EVE, set())],
)
async def test_each_person_sees_what_the_cluster_lets_them_list(
    real_as_people: Clusters, identity: Identity, namespaces: set[str]
) -> None:
    reviews = AccessReviews(real_as_people)
    async with (
        asyncio.timeout(20),
        ClusterDirectory(real_as_people, reviews) as directory,
        directory.watch(cluster_of(real_as_people), identity) as events,
    ):
        first = await first_pods(events)

    assert first.reset
    assert {pod.namespace for pod in first.pods} == namespaces


async def test_the_sample_workloads_are_told_as_they_are(real: Clusters) -> None:
    async with (
        asyncio.timeout(20),
        ClusterDirectory(real, AccessReviews(real)) as directory,
        directory.watch(cluster_of(real), ALICE) as events,
    ):
        pods = {pod.name: pod for pod in (await first_pods(events)).pods}

    web, console = pods["web"], pods["console"]
    assert (web.status, web.ready, web.total, web.workload) == ("Running", 2, 2, None)
    assert [found.name for found in web.containers] == ["main", "side"]
    assert console.containers[0].tty
    assert console.containers[0].stdin
    api = [pod for name, pod in pods.items() if name.startswith("api-")]
    assert len(api) == 3
    assert {(pod.workload.kind, pod.workload.name) for pod in api if pod.workload} == {
        ("Deployment", "api")
    }


async def test_a_pod_appears_changes_and_goes(real: Clusters) -> None:
    seen: list[PodView] = []
    gone: set[str] = set()
    async with (
        asyncio.timeout(40),
        ClusterDirectory(real, AccessReviews(real)) as directory,
        directory.watch(cluster_of(real), ALICE, lambda name: name == "default") as events,
    ):
        await first_pods(events)
        async with a_pod(real, {"containers": [container("main", "sleep", "600")]}) as name:
            async for event in events:
                if isinstance(event, PodsChanged):
                    seen += [pod for pod in event.pods if pod.name == name]
                if seen and seen[-1].status == "Running":
                    break
        async for event in events:
            if isinstance(event, PodsGone):
                gone.update(event.uids)
            if seen[-1].uid in gone:
                break

    assert seen[-1].ready == 1
    assert "Running" not in [pod.status for pod in seen[:-1]]


SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "crash loop": ({"containers": [container("a", "false")]}, "CrashLoopBackOff"),
    "completed": (
        {"restartPolicy": "Never", "containers": [container("a", "true")]},
        "Completed",
    ),
    "failed": (
        {"restartPolicy": "Never", "containers": [container("a", "false")]},
        "Error",
    ),
    "one of two is over": (
        {
            "restartPolicy": "Never",
            "containers": [container("a", "true"), container("b", "sleep", "600")],
        },
        "NotReady",
    ),
    "no image": (
        {"containers": [container("a", "true", image="docker.io/test/none:1")]},
        "ErrImageNeverPull",
    ),
    "initialising": (
        {
            "initContainers": [container("i", "true"), container("j", "sleep", "600")],
            "containers": [container("a", "true")],
        },
        "Init:1/2",
    ),
    "init fails": (
        {
            "restartPolicy": "Never",
            "initContainers": [container("i", "false")],
            "containers": [container("a", "true")],
        },
        "Init:Error",
    ),
    "sidecar": (
        {
            "initContainers": [container("i", "sleep", "600") | {"restartPolicy": "Always"}],
            "containers": [container("a", "sleep", "600")],
        },
        "Running",
    ),
    "nowhere to run": (
        {"nodeSelector": {"no": "where"}, "containers": [container("a", "true")]},
        "Pending",
    ),
}


@pytest.mark.slow
async def test_the_words_are_those_that_the_cluster_itself_prints(
    real: Clusters, real_kubeconfig: Path
) -> None:
    """Compare with the API server's table, which is what kubectl shows."""
    contexts, _ = read_contexts(real_kubeconfig)
    credentials = await KubeconfigSource(contexts[0]).load()
    address = f"{credentials.server}/api/v1/namespaces/default/pods"
    table = {
        "Authorization": credentials.authorization or "",
        "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
    }
    query = {"labelSelector": "hatchway-test=yes", "includeObject": "Object"}
    reached: set[str] = set()
    compared = 0
    async with asyncio.timeout(120), aiohttp.ClientSession() as session:
        for what, (spec, word) in SPECS.items():
            async with a_pod(real, spec) as name:
                async with asyncio.timeout(40):
                    while what not in reached:
                        async with session.get(
                            address, params=query, headers=table, ssl=credentials.tls or True
                        ) as response:
                            rows = (await response.json())["rows"]
                        for row in rows:
                            _, ready, status, restarts, *_ = row["cells"]
                            view = pod_view(row["object"])
                            assert (f"{view.ready}/{view.total}", view.status) == (ready, status)
                            assert str(view.restarts) == str(restarts).split()[0]
                            compared += 1
                            if view.name == name and view.status == word:
                                reached.add(what)
                        await asyncio.sleep(0.1)

    assert reached == set(SPECS)
    assert compared > len(SPECS)


@pytest.mark.parametrize(
    ("identity", "namespace", "pod", "may"),
    [
        (ALICE, "default", "web", True),
        (ALICE, "vault", "safe", False),
        (BOB, "shop", "api", False),
        (BOB, "default", "web", False),
    ],
)
async def test_reviews_agree_with_what_the_cluster_then_does(
    real_as_people: Clusters, identity: Identity, namespace: str, pod: str, may: bool
) -> None:
    target = target_in(real_as_people, namespace, pod)

    answer = await AccessReviews(real_as_people).may_exec(target, identity)

    assert isinstance(answer, Allowed if may else Denied)
    request = ExecRequest(target, identity, ("true",), tty=False, stdin=False)
    if may:
        await KubeExecBackend(real_as_people).run(request)
    else:
        with pytest.raises(StreamRefused) as caught:
            await KubeExecBackend(real_as_people).run(request)
        assert caught.value.refused.kind is Refusal.FORBIDDEN


async def test_a_debug_container_opens_a_shell_beside_a_container_without_one(
    real: Clusters,
) -> None:
    spec = {"containers": [{"name": "main", "image": "docker.io/test/pause:1",
                            "imagePullPolicy": "Never"}]}  # fmt: skip
    debug = DebugContainers(real)
    backend = KubeExecBackend(real)
    async with a_pod(real, spec) as pod:
        target = target_in(real, "default", pod)
        async with asyncio.timeout(30):
            while not (await backend.inspect(target, ALICE)).container_running:
                await asyncio.sleep(0.1)

        name = await debug.start(target, ALICE, image=BUSYBOX)

        beside = target_in(real, "default", pod, name)
        facts = await backend.inspect(beside, ALICE)
        assert facts.container_tty
        request = ExecRequest(beside, ALICE, None, size=Size(90, 30))
        async with backend.open(request) as stream, asyncio.timeout(20):
            # More than once: a real node passes input on before it listens to the output, and sets
            # the size beside both.
            look = b"for n in 1 2 3 4; do ls -d /proc/1/root/p*; stty size; sleep 0.5; done"
            await stream.send_stdin(look + b"; exit\n")
            seen = b""
            while (output := await stream.receive()) is not None:
                seen += output.data
        assert b"30 90" in seen
        assert b"/proc/1/root/pause" in seen

        with pytest.raises(StreamRefused) as caught:
            await debug.start(target, ALICE, image="docker.io/test/none:1", seconds=1)
        assert "debug container" in caught.value.message


async def test_who_may_not_make_a_debug_container_is_told(real_as_people: Clusters) -> None:
    target = target_in(real_as_people, "default", "web")

    answer = await AccessReviews(real_as_people).may_debug(target, ALICE)
    assert isinstance(answer, Denied)
    assert "patch on pods/ephemeralcontainers" in answer.reason
    with pytest.raises(StreamRefused) as caught:
        await DebugContainers(real_as_people).start(target, ALICE, image=BUSYBOX)
    assert caught.value.refused.kind is Refusal.FORBIDDEN
