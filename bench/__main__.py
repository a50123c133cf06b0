"""Print the figures of a suite, one JSON object per line: python -m bench [terminal] [figure …]."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

import uvloop

from bench.figures import BUDGETS, Report, Verdict
from bench.terminal import run_suite

SUITES = ("terminal",)

ENDED = 130
"""The exit code of a run that was told to end."""


def main(arguments: list[str]) -> int:
    """Run and return the exit code: 0 met, 1 something is not measured, 3 a budget is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suite", nargs="?", choices=SUITES, default="terminal")
    parser.add_argument("figures", nargs="*", choices=[*BUDGETS, []], help="only these")
    chosen = parser.parse_args(arguments)
    wanted = frozenset(chosen.figures or BUDGETS)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    except PermissionError:
        print("bench: may not raise its priority; the machine's noise counts more", file=sys.stderr)
    report = Report(show=lambda line: print(line, flush=True), expected=wanted)
    try:
        uvloop.run(_run(report))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("bench: told to end; its servers and shells have ended", file=sys.stderr)
        return ENDED
    verdict = report.verdict()
    for figure, why in report.missing.items():
        print(f"bench: {figure} is missing: {why}", file=sys.stderr)
    if verdict is Verdict.MISSED:
        missed = [
            name for name, value in report.measured.items() if not BUDGETS[name].allows(value)
        ]
        print(f"bench: over budget: {', '.join(missed)}", file=sys.stderr)
    return int(verdict)


async def _run(report: Report) -> None:
    running = asyncio.current_task()
    assert running is not None
    # As Ctrl-C: whatever was started is ended on the way out.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await run_suite(report)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
