"""The server's priority: raised where it may be, for as long as it serves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from tests.config.servers import Server
from tests.e2e.running import ROOT

PROGRAM = """
import asyncio, logging, os, pathlib, sys

from config.priority import raised_priority

logging.basicConfig(level=logging.INFO, format="%(message)s")
autogroup = pathlib.Path("/proc/self/autogroup")


def show():
    print(os.getpriority(os.PRIO_PROCESS, 0), autogroup.read_text() if autogroup.exists() else "")


async def main():
    if len(sys.argv) > 2:
        os.setuid(int(sys.argv[2]))
    show()
    async with raised_priority(int(sys.argv[1])):
        show()
    show()

asyncio.run(main())
"""
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raising a priority takes root")
needs_autogroups = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel has no autogroups"
)


def priorities(
    niceness: int, *, own_session: bool = True, user: int | None = None
) -> tuple[list[int], list[int], str]:
    """Return the niceness of the process before, in and after the block, that of its session at
    the same times, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(niceness), *([] if user is None else [str(user)])],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        start_new_session=own_session,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line]
    sessions = re.findall(r"nice (-?\d+)", done.stdout)
    return [int(line.split()[0]) for line in lines], [int(found) for found in sessions], done.stderr


@needs_root
def test_the_process_goes_first_while_it_serves() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert priorities(-7)[0] == [before, -7, before]


@needs_root
@needs_autogroups
def test_its_own_session_goes_first_too() -> None:
    assert priorities(-7)[1] == [0, -7, 0]


@needs_root
@needs_autogroups
def test_a_session_that_others_live_in_is_left_alone() -> None:
    own = int(re.findall(r"nice (-?\d+)", Path("/proc/self/autogroup").read_text())[0])
    found, sessions, _ = priorities(-7, own_session=False)
    assert found[1] == -7
    assert sessions == [own, own, own]


@needs_root
def test_where_it_is_not_allowed_the_log_says_so_and_nothing_changes() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found, _, said = priorities(-7, user=NOBODY)
    assert found == [before, before, before]
    assert "may not raise its priority" in said


def test_zero_asks_for_nothing() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found, _, said = priorities(0)
    assert found == [before, before, before]
    assert said == ""


@needs_root
def test_both_servers_ask_for_it(server: Server) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert psutil.Process(server.process.pid).nice() == min(own, settings.HATCHWAY_NICENESS)
