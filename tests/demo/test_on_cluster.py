"""`make demo KUBECONFIG=path` opens shells in somebody's cluster, and leaves nothing in it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deploy.demo.machine import free_port
from tests.browser.inside import Cluster
from tests.demo.project import Project, wait_until
from tests.e2e.other_client import Hatchway
from tests.e2e.person import Terminal, shell

PASSWORD = "a-given-password"
TARGET = "real/default/web/main"


@pytest.fixture
def cluster() -> Cluster:
    """The cluster that there is."""
    kubeconfig = os.environ.get("HATCHWAY_TEST_KUBECONFIG")
    if not kubeconfig:
        pytest.skip("needs a real Kubernetes: set HATCHWAY_TEST_KUBECONFIG")
    return Cluster("real", Path(kubeconfig))


async def pid_of(opened: Terminal) -> str:
    """Ask a shell for its process id."""
    await opened.types(b"echo pid=$$=\r")
    await opened.until(lambda: opened.output.count(b"=") >= 4)
    return opened.output.split(b"pid=")[-1].split(b"=")[0].decode()


@pytest.mark.cluster
async def test_shells_of_a_given_cluster_end_with_the_log_out_and_with_the_demonstration(
    tmp_path: Path, cluster: Cluster
) -> None:
    project = Project(tmp_path)
    project.hold_the_real_programs()
    run = project.run(
        ["make", "-C", str(tmp_path), "demo", f"KUBECONFIG={cluster.kubeconfig}"],
        HATCHWAY_PORT=str(free_port()),
        HATCHWAY_DEMO_PASSWORD=PASSWORD,
    )
    try:
        origin = (await asyncio.to_thread(run.until_ready)).rstrip("/")
        assert "admin works in every namespace" in run.text
        assert not any("democluster" in line for line in project.processes())

        client = await asyncio.to_thread(Hatchway, origin, "alice", PASSWORD)
        async with shell(client, TARGET) as opened:
            pid = await pid_of(opened)
            assert "bash" in await asyncio.to_thread(cluster.command_line_of, TARGET, pid)
            await asyncio.to_thread(client.call, "POST", "/api/sign-out")
            await opened.until(lambda: bool(opened.told("ended")))
        await asyncio.to_thread(until_gone, cluster, pid)

        client = await asyncio.to_thread(Hatchway, origin, "alice", PASSWORD)
        async with shell(client, TARGET) as opened:
            pid = await pid_of(opened)
            # make waits for what it started, and then ends as interrupted itself.
            assert await asyncio.to_thread(run.interrupt) in (0, -signal.SIGINT)
        assert "Hatchway has ended.\n" in run.text
        assert project.processes() == []
        await asyncio.to_thread(until_gone, cluster, pid)
    finally:
        await asyncio.to_thread(project.end_all)


def until_gone(cluster: Cluster, pid: str) -> None:
    """Wait until the container has no such process any more."""
    wait_until(lambda: not cluster.command_line_of(TARGET, pid), seconds=20)
