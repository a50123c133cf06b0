"""Why a session ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from protocol.close import CloseCode
from protocol.reason import Reason


class EndReason(StrEnum):
    """The one word that stands in the database, on the wire and in the admin site."""

    EXITED = "exited"
    CLOSED_BY_OWNER = "closed_by_owner"
    TERMINATED = "terminated"
    IDLE = "idle"
    EXPIRED = "expired"
    REVOKED = "revoked"
    TARGET_GONE = "target_gone"
    LOST = "lost"
    DETACHED = "detached"
    START_FAILED = "start_failed"
    REFUSED = "refused"
    SERVER_DRAIN = "server_drain"
    SERVER_LOST = "server_lost"
    FAILED = "failed"


_CLOSE_CODES = {
    EndReason.REVOKED: CloseCode.FORBIDDEN,
    EndReason.TARGET_GONE: CloseCode.TARGET_GONE,
    EndReason.REFUSED: CloseCode.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended: the reason, a sentence, the exit code where one is known, and data."""

    reason: EndReason
    message: str
    exit_code: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def because(
        cls, reason: EndReason, cause: Reason, exit_code: int | None = None, /, **data: Any
    ) -> Ending:
        """Return an ending whose sentence clients can translate: `because` in its data."""
        return cls(reason, str(cause), exit_code, {**data, "because": cause.to_wire()})

    @property
    def close_code(self) -> CloseCode:
        """The code that sockets of this session are closed with."""
        if self.reason is EndReason.REVOKED and self.data.get("why") == "signed_out":
            return CloseCode.SIGNED_OUT
        return _CLOSE_CODES.get(self.reason, CloseCode.NORMAL)
