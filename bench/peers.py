"""The peers of Hatchway, one after the other under the same load; who is not there is named.

terminado and ttyd run `kubectl exec -it` for each socket: what somebody would build with them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from bench import kubectl, terminado, ttyd
from bench.figures import Missing, Peer, sentence_of
from bench.peer import RunningPeer
from bench.setting import Setting, is_told_to_end
from bench.web_peer import WebPeer, running_web_peer

LIMIT_SECONDS = 100.0
"""After this long a peer is given up: it must not cost the figure of Hatchway."""

T = TypeVar("T")

P = TypeVar("P", bound=RunningPeer)

Start = Callable[[Setting, str], AbstractAsyncContextManager[P]]


@dataclass(frozen=True, slots=True)
class Compared(Generic[T]):
    """What was measured of each peer, and why others are missing."""

    found: Mapping[str, T]
    lacking: Mapping[str, str]

    def peers(self, value: Callable[[T], float]) -> list[Peer]:
        """Return the peers with one value of what was found."""
        return [Peer(name, value(found)) for name, found in self.found.items()]

    def note(self, note: str) -> str:
        """Return the note with the names of those that are missing."""
        return "; ".join([note, *(f"no {name}: {why}" for name, why in self.lacking.items())])


async def compared(
    setting: Setting,
    target: str,
    measure: Callable[[P], Awaitable[T]],
    starts: Mapping[str, Start[P]],
) -> Compared[T]:
    """Start each peer, measure it and end it.

    target: cluster/namespace/pod/container of every shell. What goes wrong with a peer is said on
    standard error and in the note, and costs neither the others nor the figure.
    """
    found: dict[str, T] = {}
    lacking: dict[str, str] = {}
    for name, start in starts.items():
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                async with start(setting, target) as peer:
                    found[name] = await measure(peer)
        except Exception as error:
            if is_told_to_end():
                raise
            # Named: what fails here says nothing about Hatchway.
            lacking[name] = sentence_of(error)
            print(f"bench: no {name} to compare with: {lacking[name]}", file=sys.stderr, flush=True)
    return Compared(found, lacking)


def _program(setting: Setting, target: str) -> list[str]:
    return kubectl.exec_command(_kubectl(setting), setting.cluster(), target)


def _kubectl(setting: Setting) -> str:
    if setting.kubectl is None:
        raise Missing("kubectl is not installed; put it on the PATH or into HATCHWAY_TEST_KUBECTL")
    return setting.kubectl


@asynccontextmanager
async def _run_kubectl(setting: Setting, target: str) -> AsyncIterator[RunningPeer]:
    yield kubectl.KubectlPeer(_kubectl(setting), setting.cluster(), target)


@asynccontextmanager
async def _run_terminado(setting: Setting, target: str) -> AsyncIterator[WebPeer]:
    command = terminado.server_command(_program(setting, target))
    log = setting.directory / "terminado.log"
    async with running_web_peer(terminado.TerminadoShell, command, log) as peer:
        yield peer


@asynccontextmanager
async def _run_ttyd(setting: Setting, target: str) -> AsyncIterator[WebPeer]:
    if setting.ttyd is None:
        raise Missing(ttyd.HOW_TO_GET)
    command = ttyd.server_command(setting.ttyd, _program(setting, target))
    log = setting.directory / "ttyd.log"
    async with running_web_peer(ttyd.TtydShell, command, log) as peer:
        yield peer


SERVERS: Mapping[str, Start[WebPeer]] = {terminado.NAME: _run_terminado, ttyd.NAME: _run_ttyd}
"""The peers that serve many people from one process."""
EVERYBODY: Mapping[str, Start[RunningPeer]] = {kubectl.NAME: _run_kubectl, **SERVERS}
