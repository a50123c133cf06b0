"""Streams: how much of what the API server can send arrives."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bench.figures import Report
from bench.flood import stream_rate
from bench.on_cluster.pair import STRAIGHT, pair, straight_shell
from bench.peer import RunningPeer
from bench.peers import EVERYBODY, compared
from bench.ranks import paired_ratio
from bench.screen import Screen
from bench.setting import Setting

ROUNDS = 101
"""One stream takes 0.7 to 1.6 times as long as another one: the median of 31 pairs still varied
by a tenth."""
PEER_ROUNDS = 9


async def throughput(setting: Setting, report: Report) -> None:
    """Measure how much of the API server's stream arrives."""
    async with pair(setting) as (ours, straight, target):
        here, there = await _rates([ours, straight], ROUNDS)
        skipped = ours.skipped / (ours.skipped + ours.received)

    async def ratio_of(peer: RunningPeer) -> float:
        async with peer.shell() as theirs, straight_shell(setting, target) as straight:
            return paired_ratio(*await _rates([theirs, straight], PEER_ROUNDS))

    others = await compared(setting, target, ratio_of, EVERYBODY)
    report.add(
        "tty_throughput_ratio",
        paired_ratio(here, there),
        peers=others.peers(float),
        note=others.note(
            f"{median(here) / 1e6:.1f} MB/s of {median(there) / 1e6:.1f} MB/s {STRAIGHT}, "
            f"{skipped:.1%} skipped"
        ),
    )


async def _rates(screens: Sequence[Screen], rounds: int) -> list[list[float]]:
    """Return each terminal's bytes a second of every round but the first, which warms up."""
    rates: list[list[float]] = [[] for _ in screens]
    for turn in range(rounds + 1):
        for screen, found in zip(screens, rates, strict=True):
            rate = await stream_rate(screen)
            if turn:
                found.append(rate)
    return rates
