"""The second half of "may this person do that?": what the cluster itself allows.

A grant of ours is not enough: the cluster is asked before a button is offered, before a stream is
opened, and again while it lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from protocol.identity import Identity
from protocol.reason import Reason
from protocol.target import Target


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a cluster lets an identity do something, and one sentence if it does not."""

    allowed: bool
    reason: str = ""
    because: Reason | None = None
    """The same for a translation, where the cluster's own words are understood."""

    @classmethod
    def denied(cls, because: Reason) -> Verdict:
        """Return a refusal for this reason."""
        return cls(False, str(because), because)


class ClusterRights(Protocol):
    """Asks clusters what an identity may do there."""

    async def may(
        self, target: Target, identity: Identity, action: str, *, fresh: bool = False
    ) -> Verdict:
        """Answer for `exec`, `attach` and `debug`; `fresh` does not take a remembered answer.

        Raises `protocol.refusal.StreamRefused` when the cluster does not answer.
        """
        ...
