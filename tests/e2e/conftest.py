"""Whole installations for tests: on the demo cluster, and on a real one where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.democluster.running import RunningDemoCluster, running_democluster
from tests.e2e.running import RunningHatchway, running_hatchway


@pytest.fixture(scope="session")
def demo_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemoCluster]:
    """The demo cluster as a program of its own."""
    with running_democluster(tmp_path_factory.mktemp("democluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def demo(
    demo_cluster: RunningDemoCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHatchway]:
    """Hatchway on the demo cluster, as `make demo` runs it."""
    directory = tmp_path_factory.mktemp("hatchway")
    with running_hatchway(directory, demo_cluster.kubeconfig) as running:
        yield running


@pytest.fixture(scope="session")
def real_kubeconfig() -> Path:
    """The administrator's kubeconfig of a real cluster; skips without one."""
    path = os.environ.get("HATCHWAY_TEST_KUBECONFIG", "")
    if not path:
        pytest.skip("needs a real cluster: HATCHWAY_TEST_KUBECONFIG")
    return Path(path)


@pytest.fixture(scope="session")
def real(
    real_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHatchway]:
    """Hatchway on a real cluster, acting as the signed-in person."""
    directory = tmp_path_factory.mktemp("hatchway-real")
    with running_hatchway(directory, real_kubeconfig, HATCHWAY_IDENTITY="impersonate") as running:
        yield running
