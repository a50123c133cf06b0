"""A socket without a WebSocket library: sends whatever bytes a test likes after the handshake."""

from __future__ import annotations

import base64
import json
import os
import secrets
import select
import socket
import struct
from typing import Any

from tests.e2e.other_client import Hatchway
from tests.e2e.running import RunningHatchway

MASK = b"\x11\x22\x33\x44"


def frame(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0) -> bytes:
    """Return one masked client frame."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, size)
    repeated = MASK * (size // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")
    return head + MASK + masked.to_bytes(size, "big")


def text(event: dict[str, Any]) -> bytes:
    """Return a control message as a frame."""
    return frame(1, json.dumps(event).encode())


class RawSocket:
    """An upgraded connection."""

    def __init__(self, hatchway: RunningHatchway, client: Hatchway, ticket: dict[str, Any]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", hatchway.port), timeout=20)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.jar)
        lines = [
            f"GET {ticket['path']} HTTP/1.1",
            f"Host: 127.0.0.1:{hatchway.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Extensions: permessage-deflate",
            f"Sec-WebSocket-Protocol: {ticket['subprotocol']}, hatchway.ticket.{ticket['ticket']}",
            f"Origin: {hatchway.origin}",
            f"Cookie: {cookies}",
        ]
        self.sends("\r\n".join([*lines, "", ""]).encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._socket.recv(65536)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.head = head.decode("latin1")
        self.closed_with: int | None = None
        self.texts: list[dict[str, Any]] = []

    def hello(self) -> None:
        """Say hello and read until the welcome."""
        client = secrets.token_hex(8)
        self.sends(
            text({"type": "hello", "client": client, "cols": 80, "rows": 24, "offset": None})
        )
        while not any(event["type"] == "welcome" for event in self.texts):
            assert self.reads(), self.texts

    def sends(self, data: bytes) -> bool:
        """Send bytes; returns False when the server no longer takes them."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def reads(self) -> bool:
        """Read one frame; returns False when the connection is over."""
        head = self._take(2)
        if head is None:
            return False
        size = head[1] & 0x7F
        if size >= 126:
            more = self._take(2 if size == 126 else 8)
            if more is None:
                return False
            size = int.from_bytes(more, "big")
        payload = self._take(size)
        if payload is None:
            return False
        opcode = head[0] & 0x0F
        if opcode == 8:
            self.closed_with = struct.unpack(">H", payload[:2])[0] if payload else 1005
        elif opcode == 1:
            self.texts.append(json.loads(payload))
        return True

    def reads_what_is_there(self) -> None:
        """Read frames as long as some have arrived."""
        while self.closed_with is None and (
            self._buffer or select.select([self._socket], [], [], 0)[0]
        ):
            if not self.reads():
                return

    def reads_to_the_end(self) -> int | None:
        """Read until the server closes; return its close code, or None without one."""
        try:
            while self.closed_with is None and self.reads():
                pass
        except ConnectionResetError:
            return None
        return self.closed_with

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _take(self, size: int) -> bytes | None:
        while len(self._buffer) < size:
            part = self._socket.recv(65536)
            if not part:
                return None
            self._buffer += part
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
