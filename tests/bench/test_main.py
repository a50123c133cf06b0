"""The program: on a machine that lacks something it says so and does not succeed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_cleans_up_first(number: signal.Signals) -> None:
    program = """
import asyncio, signal
from bench import __main__ as bench
async def endless(report):
    print("measuring", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        print("cleaned up", flush=True)
bench.run_suite = endless
signal.signal(signal.SIGINT, signal.default_int_handler)
raise SystemExit(bench.main(["terminal", "leak_fds"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"measuring\n"
        running.send_signal(number)
        rest, told = running.communicate(timeout=20)

    assert rest == b"cleaned up\n"
    assert b"told to end" in told
    assert running.returncode == 130
