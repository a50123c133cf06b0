"""Echoes: alone, while fifty type, and beside a flood."""

from __future__ import annotations

from contextlib import AsyncExitStack
from operator import itemgetter
from statistics import median

from bench.client import shell
from bench.crowd import crowd
from bench.direct import direct_shell
from bench.echo import Typist, take_turns, type_together
from bench.figures import Peer, Report
from bench.flooder import Flooder, flooder
from bench.on_cluster.pair import (
    FAST_BYTES_PER_SECOND,
    STRAIGHT,
    StraightWay,
    pair,
    straight_shell,
)
from bench.peer import RunningPeer
from bench.peers import EVERYBODY, SERVERS, compared
from bench.ranks import paired_difference, percentile
from bench.screen import Screen
from bench.setting import WHO, Setting
from bench.web_peer import WebPeer
from kube.exec import KubeExecBackend

KEYS = 600
PEER_KEYS = 300
PAUSE_SECONDS = 0.003
SESSIONS_THAT_TYPE = 50
TYPING_SECONDS = 10.0
PEER_TYPING_SECONDS = 6.0
KEY_SECONDS = 0.2
"""Five keys a second: a fast typist."""
KEYS_BESIDE_FLOOD = 200
FLOODS = 5
PEER_FLOODS = 3


async def echo(setting: Setting, report: Report) -> None:
    """Measure what Hatchway adds to a keystroke's echo."""
    async with pair(setting) as (ours, straight, target):
        here, there = await take_turns([ours, straight], KEYS, PAUSE_SECONDS)

    async def added_by(peer: RunningPeer) -> tuple[float, float]:
        async with peer.shell() as theirs, straight_shell(setting, target) as straight:
            turns = await take_turns([theirs, straight], PEER_KEYS, PAUSE_SECONDS)
            return _added(*turns)

    others = await compared(setting, target, added_by, EVERYBODY)
    for index, (name, percent) in enumerate((("echo_added_p50_ms", 50), ("echo_added_p99_ms", 99))):
        at = [percentile(times, percent) * 1e3 for times in (here, there)]
        report.add(
            name,
            _added(here, there)[index],
            peers=others.peers(itemgetter(index)),
            note=others.note(f"{at[0]:.2f} ms through Hatchway, {at[1]:.2f} ms {STRAIGHT}"),
        )


def _added(here: list[float], there: list[float]) -> tuple[float, float]:
    """Return the milliseconds that `here` takes longer than `there`: p50, p99."""
    return (
        paired_difference(here, there) * 1e3,
        (percentile(here, 99) - percentile(there, 99)) * 1e3,
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
    async with setting.clusters() as clusters:
        backend = KubeExecBackend(clusters, gathers=False)
        async with crowd(lambda: direct_shell(backend, target, WHO), SESSIONS_THAT_TYPE) as crowded:
            straight = await type_together(crowded, PEER_TYPING_SECONDS, KEY_SECONDS)

    async def echo_of(peer: RunningPeer) -> float:
        async with crowd(peer.shell, SESSIONS_THAT_TYPE) as theirs:
            taken = await type_together(theirs, PEER_TYPING_SECONDS, KEY_SECONDS)
            return percentile(taken, 99) * 1e3

    others = await compared(setting, target, echo_of, SERVERS)
    report.add(
        "echo_50_p99_ms",
        percentile(times, 99) * 1e3,
        peers=[Peer(STRAIGHT, percentile(straight, 99) * 1e3), *others.peers(float)],
        note=others.note(
            f"p50 {percentile(times, 50) * 1e3:.2f} ms, straight "
            f"{percentile(straight, 50) * 1e3:.2f} ms"
        ),
    )


async def beside_flood(setting: Setting, report: Report) -> None:
    """Measure the echo in one session while somebody else's floods."""
    floods: list[float] = []
    straight_floods: list[float] = []
    async with setting.house() as house, setting.clusters() as clusters:
        target, door = setting.target(clusters), await house.door()
        async with (
            shell(door, target) as ours,
            straight_shell(setting, target) as straight,
            flooder(house.way(target, FAST_BYTES_PER_SECOND)) as our_flood,
            flooder(StraightWay(setting.cluster(), target)) as straight_flood,
        ):
            for _ in range(FLOODS):
                floods.append(await _p99_beside(ours, our_flood))
                straight_floods.append(await _p99_beside(straight, straight_flood))

    async def echo_of(peer: WebPeer) -> float:
        async with peer.shell() as theirs, flooder(peer.way(FAST_BYTES_PER_SECOND)) as flood:
            return median([await _p99_beside(theirs, flood) for _ in range(PEER_FLOODS)])

    others = await compared(setting, target, echo_of, SERVERS)
    report.add(
        "echo_beside_flood_p99_ms",
        median(floods),
        peers=[Peer(STRAIGHT, median(straight_floods)), *others.peers(float)],
        note=others.note(f"median of {FLOODS} floods, worst {max(floods):.1f} ms"),
    )


async def _p99_beside(screen: Screen, flood: Flooder) -> float:
    """Type into one terminal while the other one floods; return the echoes' p99 in ms."""
    typist = Typist(screen)
    await typist.begin()
    await flood.start()
    await typist.keys(KEYS_BESIDE_FLOOD, 0.02)
    await flood.stop()
    await typist.end()
    return percentile(typist.seconds, 99) * 1e3
