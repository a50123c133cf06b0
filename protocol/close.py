"""Close codes of Hatchway's WebSocket subprotocols: 4000 + the HTTP status that says the same.

1000 is a normal end. Codes 1001 to 1015 are never sent by us: one of the supported servers
refuses them and none of them carries more than ours do.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a socket of ours was closed."""

    NORMAL = 1000
    BAD_FRAME = 4400
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    NO_SUBPROTOCOL = 4406
    TIMED_OUT = 4408
    REPLACED = 4409
    TARGET_GONE = 4410
    TOO_BIG = 4413
    RELOAD = 4426
    TOO_MANY = 4429
    INTERNAL_ERROR = 4500
    UNREACHABLE = 4502
    SHUTTING_DOWN = 4503


EXPLANATIONS: dict[CloseCode, str] = {
    CloseCode.NORMAL: "The session ended.",
    CloseCode.BAD_FRAME: "The client sent a frame that docs/protocol.md does not allow.",
    CloseCode.SIGNED_OUT: "The login session ended.",
    CloseCode.FORBIDDEN: "The right to do this is missing or was taken away.",
    CloseCode.NOT_FOUND: "The session does not exist.",
    CloseCode.NO_SUBPROTOCOL: "Client and server share no subprotocol.",
    CloseCode.TIMED_OUT: "The client said nothing for too long.",
    CloseCode.REPLACED: "A newer tab of the same person took over.",
    CloseCode.TARGET_GONE: "The container is gone.",
    CloseCode.TOO_BIG: "The client sent more than its window allows.",
    CloseCode.RELOAD: "The page is older than the server; reload it.",
    CloseCode.TOO_MANY: "Too many sockets or sessions are open.",
    CloseCode.INTERNAL_ERROR: "The server failed.",
    CloseCode.UNREACHABLE: "The cluster does not answer.",
    CloseCode.SHUTTING_DOWN: "The server is shutting down; connect again.",
}

RETRY: frozenset[CloseCode] = frozenset(
    {CloseCode.TIMED_OUT, CloseCode.INTERNAL_ERROR, CloseCode.SHUTTING_DOWN}
)
"""After these a client connects again by itself. It also does after 1001, 1006, 1012 and 1013,
which come from servers and proxies, never from us."""
