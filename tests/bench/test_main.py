"""The program: on a machine that lacks something it says so and does not succeed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("HATCHWAY_TEST_")}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_cluster_its_figures_are_missing_and_the_run_fails() -> None:
    done = bench("terminal", "ctrl_c_ms", "tty_throughput_ratio")

    assert done.returncode == 1
    answers = {one["figure"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert answers.keys() == {"ctrl_c_ms", "tty_throughput_ratio"}
    for answer in answers.values():
        assert answer["value"] is None
        assert "HATCHWAY_TEST_KUBECONFIG" in answer["note"]
    assert "ctrl_c_ms is missing" in done.stderr


def test_without_chromium_the_first_prompt_is_missing(tmp_path: Path) -> None:
    done = bench("terminal", "first_prompt_s", HATCHWAY_TEST_CHROMIUM=str(tmp_path / "none"))

    assert done.returncode == 1
    assert "no Chromium" in json.loads(done.stdout)["note"]


def test_an_unknown_suite_is_refused() -> None:
    assert bench("logs").returncode == 2
