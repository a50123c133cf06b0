"""A shell through Hatchway and the same one straight from the API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.client import Client, shell
from bench.direct import Direct, direct_shell
from bench.setting import WHO, Setting
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


@asynccontextmanager
async def straight_shell(setting: Setting, target: str) -> AsyncIterator[Direct]:
    """Open one straight from the API server, to compare a peer with."""
    async with setting.clusters() as clusters:
        async with direct_shell(KubeExecBackend(clusters, gathers=False), target, WHO) as straight:
            yield straight
