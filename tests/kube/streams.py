"""Streams of tests: what is asked of the scripted kubelet or a cluster, and all that is said."""

from __future__ import annotations

import asyncio

from kube.clusters import Clusters
from kube.exec import KubeExecStream
from protocol.execution import ExecRequest, ExecResult, Output
from protocol.identity import Identity
from protocol.size import Size
from protocol.target import Target

ALICE = Identity("alice", ("team-a",))
"""May use exec in the namespace `default` of the sample cluster."""

BOB = Identity("bob", ("team-b",))
"""May not."""

TARGET = Target("it", "shop", "web-1", "web")
"""A container of the scripted kubelet."""


def request(*command: str, tty: bool = True, size: Size | None = None) -> ExecRequest:
    """Ask for a command, `sh` unless told otherwise, in TARGET."""
    return ExecRequest(TARGET, ALICE, command or ("sh",), tty=tty, size=size)


def target_in(clusters: Clusters, namespace: str, pod: str, container: str = "main") -> Target:
    """Return a container of the first cluster."""
    return Target(clusters.configs()[0].name, namespace, pod, container)


async def all_of(stream: KubeExecStream, seconds: float = 10) -> list[Output]:
    """Receive until the stream ends."""
    outputs = []
    async with asyncio.timeout(seconds):
        while (output := await stream.receive()) is not None:
            outputs.append(output)
    return outputs


def bytes_of(outputs: list[Output]) -> bytes:
    """Return what was said, both channels mixed as they came."""
    return b"".join(output.data for output in outputs)


async def drain(stream: KubeExecStream) -> tuple[bytes, ExecResult]:
    """Receive until the stream of a busy cluster ends; return what it said and how it ended."""
    outputs = await all_of(stream, seconds=60)
    return bytes_of(outputs), stream.result()


async def sees(stream: KubeExecStream, words: bytes, seconds: float = 20) -> bytes:
    """Receive until these words were said; fail if the stream ends before."""
    seen = bytearray()
    async with asyncio.timeout(seconds):
        while words not in seen:
            piece = await stream.receive()
            assert piece is not None, (stream.result(), bytes(seen))
            seen += piece.data
    return bytes(seen)
