"""A client written from docs/protocol.md alone opens a shell, on both kinds of cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.democluster.running import RunningDemoCluster
from tests.e2e.running import PASSWORD, ROOT, RunningHatchway
from tests.e2e.targets import first_target

SCRIPT = Path(__file__).with_name("other_client.py")


def _run(hatchway: RunningHatchway, target: str, typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), hatchway.origin, "alice", target],
        cwd=ROOT,
        env={**os.environ, "HATCHWAY_PASSWORD": PASSWORD},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_opens_a_shell_in_the_demo_cluster(
    demo: RunningHatchway, demo_cluster: RunningDemoCluster
) -> None:
    target = first_target(demo_cluster.kubeconfig, "demo", "shop")

    done = _run(demo, target, "echo $((6*7))-$(stty size | tr ' ' x); exit 7\r")

    assert "42-24x80" in done.stdout, done.stderr
    assert done.returncode == 7


@pytest.mark.cluster
def test_it_opens_a_shell_in_a_real_cluster(real: RunningHatchway, real_kubeconfig: Path) -> None:
    done = _run(real, "real/default/web/main", "echo $((6*7))-$(stty size | tr ' ' x); exit 7\r")

    assert "42-24x80" in done.stdout, done.stderr
    assert done.returncode == 7


def test_it_is_a_small_program() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 100
