"""The error that a refused stream raises, and what a person is told about it."""

from __future__ import annotations

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.execution import Refusal, Refused

_CLOSE_CODES = {
    Refusal.UNAUTHORIZED: CloseCode.UNREACHABLE,
    Refusal.FORBIDDEN: CloseCode.FORBIDDEN,
    Refusal.POD_NOT_FOUND: CloseCode.NOT_FOUND,
    Refusal.CONTAINER_NOT_FOUND: CloseCode.NOT_FOUND,
    Refusal.CONTAINER_NOT_RUNNING: CloseCode.TARGET_GONE,
    Refusal.NOT_SCHEDULED: CloseCode.TARGET_GONE,
    Refusal.SUBPROTOCOL: CloseCode.UNREACHABLE,
    Refusal.NODE_UNREACHABLE: CloseCode.UNREACHABLE,
    Refusal.CLUSTER_UNREACHABLE: CloseCode.UNREACHABLE,
    Refusal.UNKNOWN_CLUSTER: CloseCode.NOT_FOUND,
    Refusal.OTHER: CloseCode.UNREACHABLE,
}


class StreamRefused(PeerVisibleError):
    """A cluster did not open a stream or did not answer a question about a pod."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(
            refused.message,
            kind=refused.kind.value,
            status=refused.status,
            because=refused.reason.to_wire(),
        )
        self.refused = refused
        self.code = f"cluster_{refused.kind.value}"
        self.close_code = _CLOSE_CODES[refused.kind]
