"""Figures of the demo cluster: the first prompt in a browser, and what is left over after use."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.cycles import Cycles
from bench.figures import Missing, Peer, Report
from bench.house import House, running_house
from bench.kubectl import NAME, kubectl_shell
from bench.setting import Setting
from tests.democluster.running import RunningDemoCluster, end_democluster, start_democluster
from tests.e2e.running import ROOT
from tests.e2e.targets import first_target

PROMPT_ROUNDS = 5
CYCLES = 500
WARM_CYCLES = 260
"""Until the heap holds what the busiest moment of six at once needs. It grows no more afterwards:
docs/performance.md has the numbers."""
CYCLES_AT_ONCE = 6
SETTLE_SECONDS = 34.0
"""An ended session is remembered for 30 seconds for views that return."""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-3d-apis",  # the terminal then draws text that can be read
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

STOPWATCH = """
(name) => new Promise((seen) => {
  const row = [...document.querySelectorAll('[role=treeitem]')]
    .find((item) => item.textContent.includes(name));
  const isPrompt = () => [...document.querySelectorAll('section.terminal .xterm-rows')]
    .some((rows) => /[$#]\\s*$/.test(rows.textContent.replaceAll('\\u00a0', ' ')));
  const began = performance.now();
  const look = () => isPrompt() ? seen(performance.now() - began) : requestAnimationFrame(look);
  row.click();
  look();
})
"""

MIB = 1024 * 1024


@asynccontextmanager
async def _demo(setting: Setting, **more: str) -> AsyncIterator[tuple[House, RunningDemoCluster]]:
    directory = setting.directory / f"demo-{time.monotonic_ns()}"
    cluster = await asyncio.to_thread(start_democluster, directory / "cluster")
    try:
        async with running_house(directory / "house", cluster.kubeconfig, **more) as house:
            yield house, cluster
    finally:
        await asyncio.to_thread(end_democluster, cluster.process)


async def first_prompt(setting: Setting, report: Report) -> None:
    """Measure from the click on a container to its prompt on the page."""
    chromium = os.environ.get("HATCHWAY_TEST_CHROMIUM") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        raise Missing(f"no Chromium: {chromium} does not exist; HATCHWAY_TEST_CHROMIUM names one")
    if not (ROOT / "static/dist/.vite/manifest.json").exists():
        raise Missing("no built frontend: make build")
    async with _demo(setting) as (house, cluster):
        target = await asyncio.to_thread(first_target, cluster.kubeconfig, "demo", "shop")
        ours = await _click(house, chromium, target.split("/")[2])
        theirs: list[float] = []
        if setting.kubectl is not None:
            for _ in range(PROMPT_ROUNDS):
                began = time.perf_counter()
                async with kubectl_shell(
                    setting.kubectl, cluster.kubeconfig, target, prepare=False
                ) as shell:
                    await shell.until(b"# " if os.geteuid() == 0 else b"$ ")
                    theirs.append(time.perf_counter() - began)
    report.add(
        "first_prompt_s",
        median(ours),
        peers=[Peer(NAME, median(theirs))] if theirs else (),
        note=f"first of all {ours[0]:.2f} s, worst {max(ours):.2f} s",
    )


async def _click(house: House, chromium: str, pod: str) -> list[float]:
    """Return the seconds of PROMPT_ROUNDS clicks, each in an empty profile."""
    from playwright.async_api import async_playwright

    door = await house.door()
    cookies: list[Any] = [
        {"name": one.name, "value": one.value or "", "url": house.origin} for one in door.person.jar
    ]
    found = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for _ in range(PROMPT_ROUNDS):
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            await context.add_cookies(cookies)
            page = await context.new_page()
            await page.goto(house.origin)
            await page.get_by_role("treeitem", name=pod).wait_for()
            # A person reads before they click; the page has finished loading by then.
            await page.wait_for_load_state("networkidle")
            found.append(await page.evaluate(STOPWATCH, pod) / 1e3)
            await context.close()
        await browser.close()
    return found


async def leaks(setting: Setting, report: Report) -> None:
    """Measure what is left over after many sessions that ended in every way there is."""
    async with _demo(setting, HATCHWAY_DETACH_GRACE_SECONDS="1") as (house, cluster):
        cycles = Cycles(await house.door("alice"), await house.door("admin"), cluster.kubeconfig)
        await cycles.run(WARM_CYCLES, CYCLES_AT_ONCE)
        await asyncio.sleep(SETTLE_SECONDS)
        before = await house.counts()
        cycles.done.clear()
        await cycles.run(CYCLES, CYCLES_AT_ONCE)
        await asyncio.sleep(SETTLE_SECONDS)
        after = await house.counts()
    ways = ", ".join(f"{count} {way}" for way, count in sorted(cycles.done.items()))
    left = sorted(set(after["names"]) - set(before["names"]))
    report.add("leak_tasks", after["tasks"] - before["tasks"], note=", ".join(left) or ways)
    report.add("leak_fds", after["fds"] - before["fds"])
    grown = [sum(one["rss"]) / MIB for one in (before, after)]
    report.add(
        "leak_mib", grown[1] - grown[0], note=f"server and screen helper, {grown[0]:.0f} MiB before"
    )
