"""What the terminal app needs from the composition root, declared in its own words.

`config.routing` builds one Wiring for the process and installs it; nothing else sets it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.identity import Identity
from protocol.target import Target
from terminal.session.host import SessionHost
from terminal.session.limits import Limits
from terminal.session.ports import ExecBackend, Reaper


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a cluster lets an identity do something, and the reason if it does not."""

    allowed: bool
    reason: str = ""


class Rights(Protocol):
    """Asks a cluster for rights before a stream is opened and again while it lives."""

    async def may(
        self, target: Target, identity: Identity, action: str, *, fresh: bool = False
    ) -> Verdict:
        """Answer for the actions `exec`, `attach` and `debug`.

        Raises `protocol.refusal.StreamRefused` when the cluster does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the terminal app reaches through ports, and this process's host."""

    backend: ExecBackend
    reaper: Reaper
    rights: Rights
    limits: Limits
    sessions_per_person: int
    host_name: str
    host: Callable[[], SessionHost]
    """Returns the running host; raises Unavailable while there is none."""


class Unavailable(PeerVisibleError):
    """This process holds no sessions at the moment."""

    code = "unavailable"
    close_code = CloseCode.SHUTTING_DOWN


_installed: list[Wiring] = []


def install(wiring: Wiring) -> None:
    """Make `wiring` the process's own."""
    _installed[:] = [wiring]


def installed() -> Wiring:
    """Return the process's wiring. Raises Unavailable where none was installed."""
    if not _installed:
        raise Unavailable("This process serves no sessions; start it through config.asgi.")
    return _installed[0]
