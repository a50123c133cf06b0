"""Skipped tests are named at the end, and never skipped where they could run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SKIPPING = """
import pytest

@pytest.mark.cluster
def test_one(): pytest.skip("no cluster here")

@pytest.mark.redis
def test_two(): pytest.skip("no Redis here")

def test_three(): pass

def test_five(): pytest.skip("no moon tonight")

@pytest.mark.cluster
@pytest.mark.xfail
def test_four(): assert False
"""
CONFIGURATION = """
[pytest]
markers =
    cluster: x
    redis: x
"""


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the tests above in a pytest of their own."""
    (folder / "pytest.ini").write_text(CONFIGURATION)
    (folder / "test_skipping.py").write_text(SKIPPING)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HATCHWAY_")}
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.needs", "-p", "no:django", "-q"),
            *("-p", "no:cacheprovider", "-c", "pytest.ini", "test_skipping.py"),
        ],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_last_lines_say_what_was_skipped_and_how_to_get_it(tmp_path: Path) -> None:
    done = run(tmp_path)

    assert done.returncode == 0, done.stdout
    summary, cluster, redis, other = done.stdout.strip().splitlines()[-4:]
    assert "1 passed, 3 skipped" in summary
    assert cluster.startswith("Skipped 1 cluster test: needs a Kubernetes; set HATCHWAY_TEST_KUBE")
    assert redis.startswith("Skipped 1 redis test: needs a Redis; set HATCHWAY_TEST_REDIS_URL")
    assert other == "Skipped 1 other test: no moon tonight."


def test_skipped_cluster_test_fails_where_a_cluster_was_given(tmp_path: Path) -> None:
    done = run(tmp_path, HATCHWAY_TEST_KUBECONFIG="/somewhere")

    assert done.returncode == 1
    assert "must not be skipped" in done.stdout
    assert "no cluster here" in done.stdout
    assert "1 failed, 1 passed, 2 skipped, 1 xfailed" in done.stdout
