"""A shell in a container from a terminal, written from docs/protocol.md and docs/api.md alone.

    python other_client.py http://127.0.0.1:8000 alice demo/shop/web-1/web

Reads the password from HATCHWAY_PASSWORD; Ctrl-D or `exit` ends the shell.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import struct
import sys
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


class Hatchway:
    """A signed-in client: cookies, the CSRF token, and JSON calls."""

    def __init__(self, origin: str, username: str, password: str) -> None:
        self.origin = origin
        self.jar = CookieJar()
        self.http = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        try:
            self.call("GET", "/api/me")
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
        self.call("POST", "/api/sign-in", {"username": username, "password": password})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        tokens = [cookie.value for cookie in self.jar if cookie.name == "hatchway_csrf"]
        headers = {
            "Content-Type": "application/json",
            "Origin": self.origin,
            "X-CSRFToken": (tokens or [""])[0] or "",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, headers, method=method)
        with self.http.open(request) as answer:
            return json.loads(answer.read() or b"null")

    def socket(self, ticket: dict[str, Any]) -> connect:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        return connect(
            self.origin.replace("http", "ws", 1) + ticket["path"],
            origin=self.origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies},
            subprotocols=[ticket["subprotocol"], "hatchway.ticket." + ticket["ticket"]],
            compression=None,
        )


async def keyboard(socket: ClientConnection) -> None:
    """Send what is typed; `offset` counts the input of this client."""
    offset = 0
    loop = asyncio.get_running_loop()
    while data := await loop.run_in_executor(None, os.read, 0, 4096):
        await socket.send(struct.pack(">BQ", 0, offset) + data)
        offset += len(data)
    await socket.send(struct.pack(">BQ", 0, offset) + b"\x04")


async def screen(socket: ClientConnection) -> int:
    """Show output, acknowledge it, and return the exit code."""
    async for message in socket:
        if isinstance(message, bytes):
            kind, offset = struct.unpack_from(">BQ", message)
            os.write(1, message[9:])
            end = offset + len(message) - 9 if kind == 1 else offset
            await socket.send(json.dumps({"type": "ack", "offset": end}))
        elif (event := json.loads(message))["type"] in ("ended", "error"):
            print(f"\r\n{event['message']}", file=sys.stderr)
            if event["type"] == "ended":
                return int(event["exit_code"] or 0)
    return 1


async def main(origin: str, username: str, target: str) -> int:
    client = Hatchway(origin, username, os.environ["HATCHWAY_PASSWORD"])
    names = dict(zip(("cluster", "namespace", "pod", "container"), target.split("/"), strict=True))
    ticket = client.call("POST", "/api/tickets", {"target": names, "kind": "exec", "shell": "auto"})
    async with client.socket(ticket) as socket:
        hello = {"type": "hello", "client": secrets.token_urlsafe(12), "cols": 80, "rows": 24}
        await socket.send(json.dumps({**hello, "offset": None}))
        typing = asyncio.ensure_future(keyboard(socket))
        try:
            return await screen(socket)
        finally:
            typing.cancel()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:4])))
