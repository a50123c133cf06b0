"""Somebody else who offers a shell in a container, run by the bench beside Hatchway."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bench.screen import Screen


@dataclass(frozen=True, slots=True)
class Held:
    """Proportional resident bytes: of a peer's server, and of the programs it runs."""

    server: int
    programs: int

    @property
    def total(self) -> int:
        """Return both."""
        return self.server + self.programs


class RunningPeer(ABC):
    """A peer that answers. Each shell of it is one `kubectl exec -it` in the container."""

    @abstractmethod
    def shell(self, rate: float | None = None) -> AbstractAsyncContextManager[Screen]:
        """Open a shell with the bench's prompt; leaving ends it, in the container too.

        rate: what its terminal renders, in bytes a second; None renders at once.
        """

    @abstractmethod
    def memory(self) -> Held:
        """Return what the peer's processes hold now (blocks)."""
