"""A shell in a container from a terminal, written from docs/protocol.md and docs/api.md alone.

    HATCHWAY_PASSWORD=… python other_client.py http://127.0.0.1:8000 alice demo/shop/web-1/web

Ctrl-D or `exit` ends the shell; its exit code becomes that of the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import struct
import sys
import urllib.error
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
        with contextlib.suppress(urllib.error.HTTPError):  # 401; it sets the CSRF cookie
            self.call("GET", "/api/me")
        self.call("POST", "/api/sign-in", {"username": username, "password": password})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        token = next((c.value for c in self.jar if c.name == "hatchway_csrf"), "") or ""
        headers = {"Content-Type": "application/json", "X-CSRFToken": token, "Origin": self.origin}
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.origin + path, data, headers, method=method)
        with self.http.open(request) as answer:
            return json.loads(answer.read() or b"null")

    def socket(self, ticket: dict[str, Any]) -> connect:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        return connect(
            self.origin.replace("http", "ws", 1) + ticket["path"],
            additional_headers={"Cookie": cookies, "Origin": self.origin},
            subprotocols=[ticket["subprotocol"], "hatchway.ticket." + ticket["ticket"]],
            compression=None,
        )


async def keyboard(socket: ClientConnection) -> None:
    """Send what is typed, each byte with its offset, and a sign of life in between."""
    offset = 0
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while not reader.at_eof():
        try:
            data = await asyncio.wait_for(reader.read(4096), 15)
            await socket.send(struct.pack(">BQ", 0, offset) + (data or b"\x04"))
            offset += len(data)
        except TimeoutError:
            await socket.send('{"type":"ping","t":0}')


async def screen(socket: ClientConnection) -> int:
    """Show output, acknowledge it, and return the exit code."""
    async for message in socket:
        if isinstance(message, bytes):
            kind, offset = struct.unpack_from(">BQ", message)
            os.write(1, message[9:])
            offset += len(message) - 9 if kind == 1 else 0
            await socket.send(json.dumps({"type": "ack", "offset": offset}))
        elif (event := json.loads(message))["type"] in ("ended", "error"):
            print(f"\r\n{event['message']}", file=sys.stderr)
            if event["type"] == "ended":
                return int(event["exit_code"] or 0)
    return 1


async def main(origin: str, username: str, target: str) -> int:
    client = Hatchway(origin, username, os.environ["HATCHWAY_PASSWORD"])
    names = dict(zip(("cluster", "namespace", "pod", "container"), target.split("/"), strict=True))
    ticket = client.call("POST", "/api/tickets", {"target": names, "kind": "exec", "shell": "auto"})
    hello = {"type": "hello", "client": secrets.token_hex(8), "cols": 80, "rows": 24}
    async with client.socket(ticket) as socket:
        await socket.send(json.dumps({**hello, "offset": None}))
        async with asyncio.TaskGroup() as tasks:
            typing = tasks.create_task(keyboard(socket))
            code = await screen(socket)
            typing.cancel()
        return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:4])))
