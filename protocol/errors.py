"""What may go wrong between two peers, and what the other side is told.

ProtocolError
├── LocalProtocolError       our own misuse of a codec: a bug, never shown to a peer
└── RemoteProtocolError      the peer broke the protocol
PeerVisibleError             the only errors that a browser is told about: code, sentence, data
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocol.close import CloseCode
from protocol.reason import Reason


class ProtocolError(Exception):
    """The exchange between two peers broke its rules."""


class LocalProtocolError(ProtocolError):
    """We used a codec against its contract."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that its protocol does not allow."""


class PeerVisibleError(Exception):
    """An error whose sentence a person may see.

    `code` is a stable word that clients translate, `close_code` closes a socket, `data` carries
    what the sentence was made of, `status` is the HTTP status of the same error. Raised with a
    Reason its sentence is that reason's, and `data["because"]` is what clients translate.
    """

    code: str = "internal"
    close_code: CloseCode = CloseCode.INTERNAL_ERROR

    def __init__(self, message: str | Reason, **data: Any) -> None:
        if isinstance(message, Reason):
            data.setdefault("because", message.to_wire())
        self.message = str(message)
        super().__init__(self.message)
        self.data: Mapping[str, Any] = data

    @property
    def status(self) -> int:
        """The HTTP status that says the same as the close code."""
        return int(self.close_code) - 4000
