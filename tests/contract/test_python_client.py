"""The official Python client, asynchronous and as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
from kubernetes.aio import client, config, watch
from kubernetes.aio.stream import WsApiClient

from tests.contract.client import ANSWER_SECONDS
from tests.contract.conftest import ContractCluster


@pytest.fixture
async def official(cluster: ContractCluster) -> AsyncIterator[client.ApiClient]:
    """The client with the configuration of the kubeconfig."""
    process = psutil.Process()
    before = process.num_fds()
    loaded: client.ApiClient = await config.new_client_from_config(  # type: ignore[no-untyped-call]
        config_file=str(cluster.kubeconfig)
    )
    async with loaded:
        yield loaded
    # It leaves connections to close on their own; in the next test they would count as leaked.
    async with asyncio.timeout(ANSWER_SECONDS):
        while process.num_fds() > before:
            await asyncio.sleep(0.01)


async def test_typed_lists_and_reads(official: client.ApiClient, cluster: ContractCluster) -> None:
    core = client.CoreV1Api(official)

    pods: Any = await core.list_namespaced_pod(cluster.namespace, label_selector="app=shells")
    one: Any = await core.read_namespaced_pod("shells", cluster.namespace)
    nodes = await core.list_node()
    events = await core.list_namespaced_event(cluster.namespace)
    version = await client.VersionApi(official).get_code()
    deployments = await client.AppsV1Api(official).list_deployment_for_all_namespaces()

    assert [item.metadata.name for item in pods.items] == ["shells"]
    assert one.status.container_statuses[0].state.running.started_at is not None
    assert len(nodes.items) >= 1
    assert events.items
    assert version.git_version.startswith("v1.")
    assert isinstance(deployments.items, list)


async def test_error_is_an_api_exception_with_the_status(
    official: client.ApiClient, cluster: ContractCluster
) -> None:
    with pytest.raises(client.ApiException) as raised:
        await client.CoreV1Api(official).read_namespaced_pod("nope", cluster.namespace)

    assert raised.value.status == 404
    assert 'pods \\"nope\\" not found' in str(raised.value.body)


async def test_log_and_watch(official: client.ApiClient, cluster: ContractCluster) -> None:
    core = client.CoreV1Api(official)

    log = await core.read_namespaced_pod_log("talker", cluster.namespace, tail_lines=1)
    seen: list[str] = []
    watching = watch.Watch()  # type: ignore[no-untyped-call]
    async with asyncio.timeout(20), watching:
        async for event in watching.stream(  # type: ignore[no-untyped-call]
            core.list_namespaced_pod, cluster.namespace, label_selector="app=shells"
        ):
            seen.append(f"{event['type']} {event['object'].metadata.name}")
            break

    assert log.count("\n") == 1
    assert seen == ["ADDED shells"]


async def test_exec_through_its_own_stream_client(
    official: client.ApiClient, cluster: ContractCluster
) -> None:
    opened = WsApiClient(  # type: ignore[no-untyped-call]
        configuration=official.configuration
    )
    async with opened as streaming:
        said = await client.CoreV1Api(streaming).connect_get_namespaced_pod_exec(
            "shells",
            cluster.namespace,
            container="main",
            command=["sh", "-c", "echo from the official client"],
            stdout=True,
            stderr=True,
        )

    assert said == "from the official client\n"
