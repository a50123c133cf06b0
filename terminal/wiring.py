"""What the terminal app needs from the composition root, declared in its own words.

`config.routing` builds one Wiring for the process and installs it; nothing else sets it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from access.cluster_rights import ClusterRights
from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from terminal.session.host import SessionHost
from terminal.session.limits import Limits
from terminal.session.ports import ExecBackend, Reaper


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the terminal app reaches through ports, and this process's host."""

    backend: ExecBackend
    reaper: Reaper
    rights: ClusterRights
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
