"""Figures of the real cluster, each beside the same thing straight from its API server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

from bench.client import Client, Door, shell
from bench.direct import direct_shell
from bench.echo import Typist, take_turns, type_together
from bench.figures import Peer, Report
from bench.flood import interrupt, peak, stream_rate
from bench.kubectl import NAME, kubectl_shell
from bench.line import slow_line
from bench.ranks import paired_difference, paired_ratio, percentile
from bench.screen import Screen
from bench.setting import WHO, Setting
from kube.exec import KubeExecBackend

KEYS = 600
PAUSE_SECONDS = 0.003
ROUNDS = 5
STREAM_ROUNDS = 11
FLOOD_SECONDS = 3.0
FAST_BYTES_PER_SECOND = 20e6
"""What a good browser's terminal renders."""
SLOW_BITS_PER_SECOND = 1e6
SESSIONS_THAT_TYPE = 50
TYPING_SECONDS = 10.0
KEY_SECONDS = 0.2
"""Five keys a second: a fast typist."""
IDLE_SESSIONS = 200
OPEN_AT_ONCE = 8
QUIET_SECONDS = 4.0
"""After this long nothing of the opening is still going on."""
LEAVE_SECONDS = 1.0
"""How long an ended idle session holds the turn of the next."""

MIB = 1024 * 1024
STRAIGHT = "straight from the API server"


@asynccontextmanager
async def _pair(setting: Setting) -> AsyncIterator[tuple[Door, str, list[Screen]]]:
    """A shell through Hatchway, the same one straight, and behind kubectl where there is one."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(setting.house())
        clusters = await stack.enter_async_context(setting.clusters())
        target = setting.target(clusters)
        door = await house.door()
        screens: list[Screen] = [
            await stack.enter_async_context(shell(door, target)),
            await stack.enter_async_context(direct_shell(KubeExecBackend(clusters), target, WHO)),
        ]
        if setting.kubectl is not None:
            screens.append(
                await stack.enter_async_context(
                    kubectl_shell(setting.kubectl, setting.cluster(), target)
                )
            )
        yield door, target, screens


async def echo(setting: Setting, report: Report) -> None:
    """Measure what Hatchway adds to a keystroke's echo."""
    async with _pair(setting) as (_, _, screens):
        times = await take_turns(screens, KEYS, PAUSE_SECONDS)
    ours, straight = times[0], times[1]
    theirs = times[2] if len(times) > 2 else None
    for name, percent in (("echo_added_p50_ms", 50), ("echo_added_p99_ms", 99)):
        at = [percentile(one, percent) * 1e3 for one in times]
        added = paired_difference(ours, straight) * 1e3 if percent == 50 else at[0] - at[1]
        report.add(
            name,
            added,
            peer=Peer(NAME, at[2] - at[1]) if theirs else None,
            note=f"{at[0]:.2f} ms through Hatchway, {at[1]:.2f} ms {STRAIGHT}",
        )


async def throughput(setting: Setting, report: Report) -> None:
    """Measure how much of the API server's stream arrives."""
    async with _pair(setting) as (_, _, screens):
        rates: list[list[float]] = [[] for _ in screens]
        for turn in range(STREAM_ROUNDS + 1):
            for screen, found in zip(screens, rates, strict=True):
                rate = await stream_rate(screen)
                if turn:
                    found.append(rate)
        client = screens[0]
        assert isinstance(client, Client)
        typical = [median(found) / 1e6 for found in rates]
        report.add(
            "tty_throughput_ratio",
            paired_ratio(rates[0], rates[1]),
            peer=Peer(NAME, paired_ratio(rates[2], rates[1])) if len(rates) > 2 else None,
            note=f"{typical[0]:.1f} MB/s of {typical[1]:.1f} MB/s {STRAIGHT}, "
            f"{client.skipped / (client.skipped + client.received):.1%} skipped",
        )


async def beside_flood(setting: Setting, report: Report) -> None:
    """Measure the echo in one session while another one floods."""
    found: list[list[float]] = [[], []]
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        backend = KubeExecBackend(clusters)
        async with (
            shell(door, target) as ours,
            shell(door, target, rate=FAST_BYTES_PER_SECOND) as our_flood,
            direct_shell(backend, target, WHO) as straight,
            direct_shell(backend, target, WHO) as straight_flood,
        ):
            for _ in range(3):
                for times, screen, flood in zip(
                    found, (ours, straight), (our_flood, straight_flood), strict=True
                ):
                    typist = Typist(screen)
                    await typist.begin()
                    await flood.type(b"yes\r")
                    await flood.until(b"y\r\ny\r\n")
                    await typist.keys(100, 0.02)
                    flood.forget()
                    await flood.type(b"\x03")
                    await flood.until(b"ready> ")
                    await typist.end()
                    times += typist.seconds
    report.add(
        "echo_beside_flood_p99_ms",
        percentile(found[0], 99) * 1e3,
        peer=Peer(STRAIGHT, percentile(found[1], 99) * 1e3),
        note=f"p50 {percentile(found[0], 50) * 1e3:.2f} ms",
    )


async def echo_of_fifty(setting: Setting, report: Report) -> None:
    """Measure the echo while fifty sessions type."""
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        async with AsyncExitStack() as stack:
            ours: list[Screen] = [
                await stack.enter_async_context(shell(door, target))
                for _ in range(SESSIONS_THAT_TYPE)
            ]
            times = await type_together(ours, TYPING_SECONDS, KEY_SECONDS)
        backend = KubeExecBackend(clusters)
        async with AsyncExitStack() as stack:
            straight: list[Screen] = [
                await stack.enter_async_context(direct_shell(backend, target, WHO))
                for _ in range(SESSIONS_THAT_TYPE)
            ]
            theirs = await type_together(straight, TYPING_SECONDS, KEY_SECONDS)
    report.add(
        "echo_50_p99_ms",
        percentile(times, 99) * 1e3,
        peer=Peer(STRAIGHT, percentile(theirs, 99) * 1e3),
        note=f"p50 {percentile(times, 50) * 1e3:.2f} ms, straight "
        f"{percentile(theirs, 50) * 1e3:.2f} ms",
    )


async def interrupts(setting: Setting, report: Report) -> None:
    """Measure Ctrl-C under `yes` for a fast client, and the server's growth meanwhile."""
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        ours: list[float] = []
        theirs: list[float] = []
        async with shell(door, target, rate=FAST_BYTES_PER_SECOND) as client:
            typist = Typist(client)
            await typist.begin()
            await typist.keys(50, 0.01)
            await typist.end()
            before = await asyncio.to_thread(house.memory)
            async with peak(house.memory) as found:
                for _ in range(ROUNDS):
                    ours.append(await interrupt(client, FLOOD_SECONDS))
                    await asyncio.sleep(0.3)
            skipped = client.skipped
        if setting.kubectl is not None:
            async with kubectl_shell(setting.kubectl, setting.cluster(), target) as peer:
                for _ in range(3):
                    theirs.append(await interrupt(peer, FLOOD_SECONDS))
    report.add(
        "ctrl_c_ms",
        median(ours) * 1e3,
        peer=Peer(NAME, median(theirs) * 1e3) if theirs else None,
        note=f"worst of {ROUNDS}: {max(ours) * 1e3:.0f} ms; {skipped / MIB:.0f} MiB skipped",
    )
    report.add(
        "flood_growth_mib",
        (found.most - before) / MIB,
        note=f"most in {ROUNDS} floods of one session, server and screen helper",
    )


async def slow_interrupts(setting: Setting, report: Report) -> None:
    """Measure Ctrl-C under `yes` for a client on a line of 1 Mbit/s."""
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        ours: list[float] = []
        async with slow_line(house.port, SLOW_BITS_PER_SECOND) as port:
            async with shell(door, target, port=port) as client:
                for _ in range(ROUNDS):
                    ours.append(await interrupt(client, FLOOD_SECONDS))
                    await asyncio.sleep(0.5)
    report.add(
        "ctrl_c_slow_line_ms",
        median(ours) * 1e3,
        note=f"worst of {ROUNDS}: {max(ours) * 1e3:.0f} ms",
    )


async def idle_sessions(setting: Setting, report: Report) -> None:
    """Measure what an idle session costs the server."""
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        async with AsyncExitStack() as warm:
            for _ in range(OPEN_AT_ONCE):
                await warm.enter_async_context(shell(door, target))
            await asyncio.sleep(QUIET_SECONDS)
            before = await asyncio.to_thread(house.memory)
            async with asyncio.TaskGroup() as tasks:
                turns = asyncio.Semaphore(OPEN_AT_ONCE)
                leave = asyncio.Event()
                opened: list[Client] = []
                for _ in range(IDLE_SESSIONS):
                    tasks.create_task(_stay(door, target, turns, opened, leave))
                while len(opened) < IDLE_SESSIONS:
                    await asyncio.sleep(1)
                    print(f"bench: {len(opened)} sessions idle", file=sys.stderr, flush=True)
                await asyncio.sleep(QUIET_SECONDS)
                after = await asyncio.to_thread(house.memory)
                leave.set()
    report.add(
        "idle_session_kib",
        (after - before) / IDLE_SESSIONS / 1024,
        note=f"{IDLE_SESSIONS} sessions beside {OPEN_AT_ONCE} that were there before",
    )


async def _stay(
    door: Door, target: str, turns: asyncio.Semaphore, opened: list[Client], leave: asyncio.Event
) -> None:
    await turns.acquire()
    try:
        async with shell(door, target) as client:
            turns.release()
            opened.append(client)
            await leave.wait()
            # Ended more gently than they were opened: behind each end its processes are looked for
            # with one more exec, and two hundred of those at once can block a node's runtime.
            await turns.acquire()
            await client.tell(type="end")
            await client.over.wait()
            await asyncio.sleep(LEAVE_SECONDS)
    finally:
        turns.release()
