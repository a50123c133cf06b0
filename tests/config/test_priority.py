"""The server's priority: in front where it may be, and behind while it only reads floods."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from django.conf import settings

from config import priority
from tests.config.servers import Server
from tests.e2e.running import ROOT

PROGRAM = """
import asyncio, logging, os, pathlib, sys, uuid

from config.priority import Priority

logging.basicConfig(level=logging.INFO, format="%(message)s")
autogroup = pathlib.Path("/proc/self/autogroup")


def show():
    print(os.getpriority(os.PRIO_PROCESS, 0), autogroup.read_text() if autogroup.exists() else "")


async def main():
    if int(sys.argv[2]):
        os.setuid(int(sys.argv[2]))
    show()
    now = 1000.0
    priority = Priority(int(sys.argv[1]), lambda: now)
    one, other = uuid.uuid4(), uuid.uuid4()
    async with priority.raised():
        show()
        for step in sys.argv[3:]:
            match step:
                case "flood of one":
                    priority.reads_flood(one)
                case "key in one":
                    priority.answers(one)
                case "key in other":
                    priority.answers(other)
                case "request":
                    priority.answers(None)
                case "a second":
                    now += 1
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
    niceness: int, *steps: str, own_session: bool = True, user: int = 0
) -> tuple[list[int], list[int], str]:
    """Return the niceness of the process before the block, in it, after each step and behind it,
    that of its session at the same times, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(niceness), str(user), *steps],
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


FLOOD, KEY, OTHER_KEY, REQUEST, LATER = (
    *("flood of one", "key in one", "key in other", "request", "a second"),
)


@needs_root
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([FLOOD], [5]),
        ([FLOOD, OTHER_KEY, FLOOD, LATER, FLOOD], [5, -7, -7, -7, 5]),
        ([FLOOD, REQUEST, FLOOD, LATER, FLOOD], [5, -7, -7, -7, 5]),
        ([KEY, FLOOD, KEY, FLOOD], [-7, 5, -7, 5]),
        ([OTHER_KEY, KEY, FLOOD, LATER, FLOOD], [-7, -7, -7, -7, 5]),
        ([OTHER_KEY, KEY, KEY, KEY, FLOOD], [-7, -7, -7, -7, -7]),
    ],
    ids=[
        "a flood is read from behind",
        "who types beside it is answered from in front",
        "and so is a request",
        "a key in the flooding session is answered, and the flood read on from behind",
        "a key in the flooding session does not hide one beside it",
        "nor do many",
    ],
)
def test_a_flood_is_read_from_behind_unless_somebody_waits(
    steps: list[str], expected: list[int]
) -> None:
    found, sessions, _ = priorities(-7, *steps)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert found == [before, -7, *expected, before]
    if sessions:
        assert sessions == [0, -7, *expected, 0]


@needs_root
def test_who_may_not_go_first_does_not_step_back_either() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert priorities(-7, FLOOD, OTHER_KEY, user=NOBODY)[0] == [before] * 5
    assert priorities(0, FLOOD, OTHER_KEY)[0] == [before] * 5


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


class _Autogroup:
    """A session's niceness that may be changed only now and then."""

    def __init__(self) -> None:
        self.niceness = 0
        self.is_refusing = False

    def read_text(self) -> str:
        return f"/autogroup-1 nice {self.niceness}\n"

    def write_text(self, text: str) -> None:
        if self.is_refusing:
            raise BlockingIOError
        self.niceness = int(text)


@needs_root
async def test_a_move_that_came_too_soon_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    autogroup = _Autogroup()
    monkeypatch.setattr(priority, "_AUTOGROUP", autogroup)
    monkeypatch.setattr(os, "getsid", lambda _pid: os.getpid())
    session = uuid4()
    served = priority.Priority(-7)
    async with served.raised():
        served.reads_flood(session)
        autogroup.is_refusing = True
        served.answers(session)
        assert autogroup.niceness == priority.BEHIND
        autogroup.is_refusing = False
        served.answers(session)
        assert autogroup.niceness == -7
    assert autogroup.niceness == 0


@needs_root
def test_both_servers_ask_for_it(server: Server) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert psutil.Process(server.process.pid).nice() == min(own, settings.HATCHWAY_NICENESS)
