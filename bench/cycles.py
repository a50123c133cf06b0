"""Sessions that are opened, resized, typed into, and end in every way there is."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from bench.client import Client, Door, connected
from tests.e2e.targets import first_target

END_SECONDS = 20.0
POD_EVERY = 50
"""One cycle in so many deletes its pod: a new one takes its time to start."""
WAYS = ("exit", "end", "kill", "cut", "terminate")


class Cycles:
    """Runs them, several at once, and counts the ways in which they ended."""

    def __init__(self, alice: Door, admin: Door, kubeconfig: Path) -> None:
        self.done: Counter[str] = Counter()
        self._alice = alice
        self._admin = admin
        self._kubeconfig = kubeconfig
        self._numbers = count()
        self._using = asyncio.Lock()
        self._target = ""
        self._busy = 0
        self._free = asyncio.Condition()

    async def run(self, number: int, at_once: int) -> None:
        """Run `number` cycles."""
        last = next(self._numbers) + number

        async def work() -> None:
            while (turn := next(self._numbers)) <= last:
                if turn % POD_EVERY == 0:
                    await self._without_pod()
                else:
                    await self._cycle(WAYS[turn % len(WAYS)])

        self._target = await self._find()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(work())

    async def _cycle(self, way: str) -> None:
        async with self._using:
            self._busy += 1
        try:
            async with connected(self._alice, self._target, end=False) as client:
                await self._use(client)
                await getattr(self, f"_{way}")(client)
            self.done[way] += 1
        finally:
            async with self._free:
                self._busy -= 1
                self._free.notify_all()

    async def _use(self, client: Client) -> None:
        await client.tell(type="resize", cols=100, rows=30)
        await client.prepare()
        await client.run(b"seq 2000; echo $((6*7))")

    async def _exit(self, client: Client) -> None:
        await client.type(b"exit 3\r")
        await _ended(client, "exited")

    async def _end(self, client: Client) -> None:
        await client.tell(type="end")
        await _ended(client, "closed_by_owner")

    async def _kill(self, client: Client) -> None:
        await client.type(b"kill -9 $$\r")
        await _ended(client, None)

    async def _cut(self, client: Client) -> None:
        client.cut()

    async def _terminate(self, client: Client) -> None:
        path = f"/api/sessions/{client.session}/terminate"
        await asyncio.to_thread(self._admin.person.call, "POST", path, {"reason": "bench"})
        await _ended(client, "terminated")

    async def _without_pod(self) -> None:
        """Delete the pod under a session, while nobody else uses it."""
        async with self._using:
            async with self._free:
                await self._free.wait_for(lambda: self._busy == 0)
            async with connected(self._alice, self._target, end=False) as client:
                await self._use(client)
                await asyncio.to_thread(_delete_pod, self._kubeconfig, self._target)
                await _ended(client, None)
            self._target = await self._find(besides=self._target)
        self.done["pod gone"] += 1

    async def _find(self, besides: str = "") -> str:
        async with asyncio.timeout(END_SECONDS):
            while True:
                try:
                    found = await asyncio.to_thread(first_target, self._kubeconfig, "demo", "shop")
                except AssertionError:
                    found = besides
                if found != besides:
                    return found
                await asyncio.sleep(0.2)


async def _ended(client: Client, reason: str | None) -> None:
    async with asyncio.timeout(END_SECONDS):
        await client.over.wait()
    if client.ended is None or (reason is not None and client.ended["reason"] != reason):
        raise RuntimeError(f"expected the end {reason}, was told {client.ended}")


def _delete_pod(kubeconfig: Path, target: str) -> None:
    _, namespace, pod, _ = target.split("/")
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
    if "certificate-authority-data" in cluster:
        import base64

        context.load_verify_locations(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
    request = urllib.request.Request(
        f"{cluster['server']}/api/v1/namespaces/{namespace}/pods/{pod}",
        method="DELETE",
        headers={
            "Authorization": f"Bearer {user['token']}",
            "Content-Type": "application/json",
        },
        data=json.dumps({"gracePeriodSeconds": 0}).encode(),
    )
    with urllib.request.urlopen(request, context=context, timeout=20):
        pass
