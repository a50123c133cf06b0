"""Fixtures: the scripted kubelet, and the real cluster where there is one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kube.clusters import Clusters
from kube.connection import IdentityMode
from kube.exec import KubeExecBackend
from protocol.target import Target
from tests.kube.kubelet import Kubelet, running, write_kubeconfig
from tests.kube.streams import target_in


@pytest.fixture
async def kubelet() -> AsyncIterator[Kubelet]:
    async with running(Kubelet()) as server:
        yield server


@pytest.fixture
async def clusters(kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Clusters]:
    async with Clusters([write_kubeconfig(tmp_path, kubelet.address)]) as known:
        yield known


@pytest.fixture
async def impersonating(kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Clusters]:
    path = write_kubeconfig(tmp_path, kubelet.address)
    async with Clusters([path], default_identity=IdentityMode.IMPERSONATE) as known:
        yield known


@pytest.fixture
def backend(clusters: Clusters) -> KubeExecBackend:
    return KubeExecBackend(clusters)


@pytest.fixture
def real_kubeconfig() -> Path:
    path = os.environ.get("HATCHWAY_TEST_KUBECONFIG")
    if not path:
        pytest.skip("needs a real Kubernetes: set HATCHWAY_TEST_KUBECONFIG")
    return Path(path)


@pytest.fixture
async def real(real_kubeconfig: Path) -> AsyncIterator[Clusters]:
    async with Clusters([real_kubeconfig]) as known:
        yield known


@pytest.fixture
def web(real: Clusters) -> Target:
    return target_in(real, "default", "web")


@pytest.fixture
async def real_as_people(real_kubeconfig: Path) -> AsyncIterator[Clusters]:
    async with Clusters([real_kubeconfig], default_identity=IdentityMode.IMPERSONATE) as known:
        yield known
