"""uvicorn's connections with an end to waiting for a request: see config/waiting.py."""

from __future__ import annotations

import asyncio
import logging

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.uvicorn_config import configuration_behind
from config.waiting import HEAD_SECONDS, MAX_HEAD, waiting

logger = logging.getLogger(__name__)

_REFUSAL = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LATE = _REFUSAL % b"408 Request Timeout"
_TOO_LONG = _REFUSAL % b"431 Request Header Fields Too Large"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol. A connection owes a head when it is made and after each answer; it
    has HEAD_SECONDS and MAX_HEAD for it."""

    _due: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless they are too many for a head."""
        if self.transport.is_closing():
            return
        if self._due is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse(_TOO_LONG)
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Wait no more: the application has the request now."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request of this connection."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        self._due = self.loop.call_later(HEAD_SECONDS, self._cut)
        waiting.add(self, self._cut)

    def _stop_waiting(self) -> None:
        waiting.discard(self)
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _cut(self) -> None:
        if self._head_bytes:
            self._refuse(_TOO_LATE)
        else:
            self._stop_waiting()
            self.transport.close()

    def _refuse(self, answer: bytes) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def limit_heads(receive: object) -> None:
    """Let the uvicorn that this lifespan channel belongs to make its connections patient ones.

    Does nothing under other servers.
    """
    config = configuration_behind(receive)
    if config is None:
        return
    if not issubclass(config.http_protocol_class, HttpToolsProtocol):
        logger.warning(
            "Slow and endless requests are not limited with this HTTP implementation; start "
            "uvicorn with --http httptools."
        )
        return
    config.http_protocol_class = PatientProtocol
