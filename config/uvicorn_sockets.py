"""uvicorn's sockets without what only the handshake needed: it would live as long as they do."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config.uvicorn_config import configuration_behind


class LeanSocket(WebSocketsSansIOProtocol):
    """uvicorn's socket. Once accepted, it keeps no headers: 7 KiB of a browser's handshake."""

    async def send(self, message: Any) -> None:
        """Send what the application says."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            # Emptied and not dropped, for the parser holds the same objects.
            self.request.headers.clear()
            self.response.headers.clear()
            self.scope["headers"] = []


def forget_handshakes(receive: object) -> None:
    """Let the uvicorn that this lifespan channel belongs to make its sockets lean ones.

    Does nothing under other servers and with other implementations of sockets.
    """
    config = configuration_behind(receive)
    if config is not None and config.ws_protocol_class is WebSocketsSansIOProtocol:
        config.ws_protocol_class = LeanSocket
