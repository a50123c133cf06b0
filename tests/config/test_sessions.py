"""The terminal app's ports over Kubernetes."""

from __future__ import annotations

import asyncio
from typing import Any

from config.sessions import REAPS_AT_ONCE, KubeReaper
from kube.processes import ProcessesEnded
from protocol.identity import Identity
from protocol.target import Target


class Processes:
    """Counts how many searches go on at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def end_marked(self, *_: Any, **__: Any) -> ProcessesEnded:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return ProcessesEnded(found=1, left=0, hidden=0)


async def test_many_sessions_that_end_at_once_are_reaped_a_few_at_a_time() -> None:
    processes = Processes()
    reaper = KubeReaper(processes)  # type: ignore[arg-type]  # what it needs of it
    target, alice = Target("demo", "shop", "web-0", "web"), Identity("alice")

    async with asyncio.TaskGroup() as tasks:
        reaps = [
            tasks.create_task(
                reaper.reap(target, alice, uid="u", container_id="c", marker="f" * 32)
            )
            for _ in range(50)
        ]

    assert all(reap.result().found == 1 for reap in reaps)
    assert processes.most == REAPS_AT_ONCE
