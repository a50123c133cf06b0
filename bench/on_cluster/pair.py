"""A shell through Hatchway and the same one straight from the API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, shell
from bench.direct import Direct, direct_shell
from bench.screen import Screen
from bench.setting import WHO, Setting
from kube.clusters import Clusters
from kube.exec import KubeExecBackend

STRAIGHT = "straight from the API server"

FAST_BYTES_PER_SECOND = 20e6
"""What a good browser's terminal renders."""


@asynccontextmanager
async def pair(setting: Setting) -> AsyncIterator[tuple[Client, Direct, str]]:
    """Open both, in a fresh server; yields them and their target."""
    async with setting.house() as house, setting.clusters() as clusters:
        target = setting.target(clusters)
        async with (
            shell(await house.door(), target) as ours,
            direct_shell(KubeExecBackend(clusters, gathers=False), target, WHO) as straight,
        ):
            yield ours, straight, target


@dataclass(frozen=True, slots=True)
class StraightWay:
    """How to open one straight from the API server, from any process (a flooder's WayIn)."""

    kubeconfig: Path
    target: str

    @asynccontextmanager
    async def shell(self) -> AsyncIterator[Screen]:
        """Open it; leaving ends it."""
        async with Clusters([self.kubeconfig]) as clusters:
            backend = KubeExecBackend(clusters, gathers=False)
            async with direct_shell(backend, self.target, WHO) as shell:
                yield shell


def straight_shell(setting: Setting, target: str) -> AbstractAsyncContextManager[Screen]:
    """Open one straight from the API server, to compare a peer with."""
    return StraightWay(setting.cluster(), target).shell()
