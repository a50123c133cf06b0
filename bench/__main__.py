"""Print the figures of a suite, one JSON object per line: python -m bench [terminal] [figure …]."""

from __future__ import annotations

import argparse
import os
import sys

import uvloop

from bench.figures import BUDGETS, Report, Verdict
from bench.terminal import run_suite

SUITES = ("terminal",)


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
    uvloop.run(run_suite(report))
    verdict = report.verdict()
    for figure, why in report.missing.items():
        print(f"bench: {figure} is missing: {why}", file=sys.stderr)
    if verdict is Verdict.MISSED:
        missed = [
            name for name, value in report.measured.items() if not BUDGETS[name].allows(value)
        ]
        print(f"bench: over budget: {', '.join(missed)}", file=sys.stderr)
    return int(verdict)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
