"""Floods, slow lines and lines that break."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.person import Chromium, Person
from tests.e2e.running import RunningHatchway

MEGABIT = 125_000
"""Bytes per second of a line of 1 Mbit/s."""
SOON = 5.0
"""Seconds until a prompt follows Ctrl-C, on a busy machine; `make bench` measures it."""


def test_ctrl_c_ends_a_flood(resident: Person, container: str) -> None:
    window = resident.opens(container)
    window.types("yes flood\n")
    window.until(lambda: window.text().count("flood") > 20, "the flood")
    window.presses("Control+c")
    window.prompts(SOON)
    window.runs("echo after-$((40 + 2))", "after-42")


def test_ctrl_c_ends_a_flood_on_a_slow_line(
    chromium: Chromium, house: RunningHatchway, container: str, line: Line
) -> None:
    window = chromium.person(house, "alice", origin=line.origin).opens(container)
    line.bytes_per_second = MEGABIT
    window.types("yes flood\n")
    window.until(lambda: window.text().count("flood") > 20, "the flood")
    # Long enough for every buffer on the way to be full.
    window.page.wait_for_timeout(3000)
    window.presses("Control+c")
    window.prompts(SOON)
    window.runs("echo after-$((40 + 2))", "after-42")


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_a_cut_line_loses_and_doubles_nothing(
    chromium: Chromium, house: RunningHatchway, container: str, line: Line, seconds: int
) -> None:
    # All numbers fit on one screen, and the loop outlives the cut.
    last, pause = 240, seconds / 200
    window = chromium.person(house, "alice", origin=line.origin).opens(container)
    before = window.pid()
    window.types(
        f"clear; for i in $(seq 1 {last}); do printf %d, $i; sleep {pause}; done; echo fi''n\n"
    )
    window.sees(",20,")
    line.cut()
    expect(window.terminal).to_contain_text(re.compile(r"Reconnecting in \d+ s"))
    expect(window.status).to_contain_text("Reconnecting in")
    assert ",20," in window.text()
    window.types("echo typed-$((40 + 2))\n")
    window.page.wait_for_timeout(seconds * 1000)

    line.mend()
    expect(window.status).to_contain_text("Live", timeout=40_000)
    window.sees("typed-42", 40 + seconds)
    whole = "".join(window.lines())
    written, rest = whole.split("fin", 1)
    # The typed line was echoed in the middle of the loop, as on every terminal.
    numbers = written.replace("echo typed-$((40 + 2))", "")
    assert numbers == "".join(f"{number}," for number in range(1, last + 1))
    assert rest.count("typed-42") == 1
    assert window.pid() == before
