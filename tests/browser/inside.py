"""What goes on in a cluster, asked of the cluster itself and not of Hatchway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.contract.client import STDOUT, Access, Api, Json, Reply, exec_options

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as its administrator sees it."""

    name: str
    """What addresses call it."""
    kubeconfig: Path

    def call(self, method: str, path: str, body: Json | None = None) -> Reply:
        """Make a request and return the answer, whatever its status."""
        return self._ask(lambda api: api.call(method, path, body))

    def output_in(self, target: str, *command: str) -> str:
        """Return what a command prints in cluster/namespace/pod/container."""
        _, namespace, pod, container = target.split("/")
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"

        async def run(api: Api) -> bytes:
            async with api.stream(path, exec_options(container, *command)) as stream:
                return (await stream.until_end()).of(STDOUT)

        return self._ask(run).decode()

    def command_line_of(self, target: str, pid: str) -> str:
        """Return what a process of a container was started as; "" when there is none."""
        script = 'cat "/proc/$1/cmdline" 2>/dev/null | tr "\\0" " "'
        return self.output_in(target, "sh", "-c", script, "sh", pid)

    def _ask(self, question: Callable[[Api], Awaitable[T]]) -> T:
        async def ask() -> T:
            async with Api(Access.of(self.kubeconfig)) as api:
                return await question(api)

        # Playwright's loop runs in this thread.
        with ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(asyncio.run, ask()).result()
