"""What a session costs that nobody uses just now."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from bench.client import Client, Door, shell
from bench.crowd import AT_ONCE, crowd
from bench.figures import Report
from bench.peer import Held, RunningPeer
from bench.peers import SERVERS, compared
from bench.setting import Setting

SESSIONS = 200
PEER_SESSIONS = 20
"""Each of a peer's is a kubectl of its own, and a tenth of them says as much."""
OPEN_AT_ONCE = 8
QUIET_SECONDS = 4.0
"""After this long nothing of the opening is still going on."""
LEAVE_SECONDS = 1.0
"""How long an ended idle session holds the turn of the next."""


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
                for _ in range(SESSIONS):
                    tasks.create_task(_stay(door, target, turns, opened, leave))
                while len(opened) < SESSIONS:
                    await asyncio.sleep(1)
                    print(f"bench: {len(opened)} sessions idle", file=sys.stderr, flush=True)
                await asyncio.sleep(QUIET_SECONDS)
                after = await asyncio.to_thread(house.memory)
                leave.set()
    others = await compared(setting, target, held_by_session, SERVERS)
    servers = ", ".join(
        f"{name} {held.server / 1024:.0f} KiB" for name, held in others.found.items()
    )
    note = f"{SESSIONS} sessions beside {OPEN_AT_ONCE} that were there before"
    if servers:
        note += f"; without its kubectl: {servers} ({PEER_SESSIONS} sessions)"
    report.add(
        "idle_session_kib",
        (after - before) / SESSIONS / 1024,
        peers=others.peers(lambda held: held.total / 1024),
        note=others.note(note),
    )


async def held_by_session(peer: RunningPeer) -> Held:
    """Return what one idle session of a peer costs: in its server, and its kubectl."""
    async with crowd(peer.shell, AT_ONCE):
        await asyncio.sleep(QUIET_SECONDS)
        before = await asyncio.to_thread(peer.memory)
        async with crowd(peer.shell, PEER_SESSIONS):
            await asyncio.sleep(QUIET_SECONDS)
            after = await asyncio.to_thread(peer.memory)
    return Held(
        (after.server - before.server) // PEER_SESSIONS,
        (after.programs - before.programs) // PEER_SESSIONS,
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
