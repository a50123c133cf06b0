"""The suite `terminal`: which figure is measured how, and what each one needs."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Report, sentence_of
from bench.kubectl import find_kubectl
from bench.on_cluster.idle import idle_sessions
from bench.on_cluster.interrupts import interrupts, slow_interrupts
from bench.on_cluster.keys import beside_flood, echo, echo_of_fifty
from bench.on_cluster.streams import throughput
from bench.on_democluster import first_prompt, leaks
from bench.peers import LIMIT_SECONDS
from bench.setting import Setting, is_told_to_end
from bench.ttyd import find_ttyd


@dataclass(frozen=True, slots=True)
class Measurement:
    """A way to get some figures."""

    figures: tuple[str, ...]
    measure: Callable[[Setting, Report], Awaitable[None]]
    seconds: float
    """After this long it is given up: a machine that slow measures nothing."""


EACH = LIMIT_SECONDS
"""What each peer may take."""

MEASUREMENTS = (
    Measurement(("echo_added_p50_ms", "echo_added_p99_ms"), echo, 120 + 3 * EACH),
    Measurement(("tty_throughput_ratio",), throughput, 240 + 3 * EACH),
    Measurement(("echo_beside_flood_p99_ms",), beside_flood, 120 + 2 * EACH),
    Measurement(("echo_50_p99_ms",), echo_of_fifty, 180 + 2 * EACH),
    Measurement(("ctrl_c_ms", "flood_growth_mib"), interrupts, 180 + 3 * EACH),
    Measurement(("ctrl_c_slow_line_ms",), slow_interrupts, 180),
    Measurement(("first_prompt_s",), first_prompt, 120),
    Measurement(("leak_tasks", "leak_fds", "leak_mib"), leaks, 600),
    Measurement(("idle_session_kib",), idle_sessions, 360 + 2 * EACH),
)


async def run_suite(report: Report) -> None:
    """Measure what the report expects. What fails is missing, and the rest goes on."""
    kubeconfig = os.environ.get("HATCHWAY_TEST_KUBECONFIG")
    with tempfile.TemporaryDirectory(prefix="hatchway-bench-") as directory:
        setting = Setting(
            Path(directory),
            Path(kubeconfig) if kubeconfig else None,
            find_kubectl(),
            find_ttyd(),
        )
        for measurement in MEASUREMENTS:
            wanted = [figure for figure in measurement.figures if figure in report.expected]
            if not wanted:
                continue
            began = time.monotonic()
            why = "the measurement ended without a value"
            try:
                async with asyncio.timeout(measurement.seconds):
                    await measurement.measure(setting, report)
            except Exception as error:
                if is_told_to_end():
                    raise
                # Named below; what fails here says nothing about the other figures.
                why = sentence_of(error)
            for figure in wanted:
                if figure not in report.measured and figure not in report.missing:
                    report.lack(figure, why)
            taken = time.monotonic() - began
            print(
                f"bench: {', '.join(wanted)} took {taken:.0f} s; "
                f"{os.getloadavg()[0]:.1f} programs wanted {os.cpu_count()} cores",
                file=sys.stderr,
                flush=True,
            )
