"""Ctrl-C under a flood, and what the server holds meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median

from bench.client import shell
from bench.echo import Typist
from bench.figures import Report
from bench.flood import interrupt, peak
from bench.line import slow_line
from bench.on_cluster.pair import FAST_BYTES_PER_SECOND
from bench.peer import RunningPeer
from bench.peers import EVERYBODY, compared
from bench.screen import Screen
from bench.setting import Setting

ROUNDS = 5
PEER_ROUNDS = 3
FLOOD_SECONDS = 3.0
SLOW_BITS_PER_SECOND = 1e6

MIB = 1024 * 1024


async def interrupts(setting: Setting, report: Report) -> None:
    """Measure Ctrl-C under `yes` for a fast client, and the server's growth meanwhile."""
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        async with shell(door, target, rate=FAST_BYTES_PER_SECOND) as client:
            ours, growth = await _interrupted(client, house.memory, ROUNDS)
            skipped = client.skipped

    async def interrupted(peer: RunningPeer) -> tuple[float, float]:
        async with peer.shell(FAST_BYTES_PER_SECOND) as theirs:
            seconds, held = await _interrupted(theirs, lambda: peer.memory().total, PEER_ROUNDS)
            return median(seconds) * 1e3, held / MIB

    others = await compared(setting, target, interrupted, EVERYBODY)
    report.add(
        "ctrl_c_ms",
        median(ours) * 1e3,
        peers=others.peers(lambda found: found[0]),
        note=others.note(
            f"worst of {ROUNDS}: {max(ours) * 1e3:.0f} ms; {skipped / MIB:.0f} MiB skipped"
        ),
    )
    report.add(
        "flood_growth_mib",
        growth / MIB,
        peers=others.peers(lambda found: found[1]),
        note=others.note(f"most in {ROUNDS} floods of one session, server and screen helper"),
    )


async def _interrupted(
    screen: Screen, memory: Callable[[], int], rounds: int
) -> tuple[list[float], int]:
    """Flood and interrupt; return the seconds of each round, and the most that memory grew."""
    typist = Typist(screen)
    await typist.begin()
    await typist.keys(50, 0.01)
    await typist.end()
    seconds = []
    before = await asyncio.to_thread(memory)
    async with peak(memory) as found:
        for _ in range(rounds):
            seconds.append(await interrupt(screen, FLOOD_SECONDS))
            await asyncio.sleep(0.3)
    return seconds, found.most - before


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
