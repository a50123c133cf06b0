"""config.uvicorn_sockets: a socket of uvicorn's keeps nothing of its handshake."""

from __future__ import annotations

import asyncio

import aiohttp
from uvicorn import Config, Server

from config.asgitypes import Receive, Scope, Send
from config.lifespan import Lifespan, WithLifespan
from config.uvicorn_sockets import LeanSocket, forget_handshakes


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a socket and say one message back."""
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    await send({"type": "websocket.send", "text": message["text"]})
    await receive()


async def test_an_accepted_socket_serves_on_without_the_headers_of_its_handshake() -> None:
    config = Config(
        WithLifespan(echo, Lifespan()),
        port=0,
        ws="websockets-sansio",
        log_level="critical",
    )
    server = Server(config)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
        serving = tasks.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"http://127.0.0.1:{port}/", headers={"X-Long": "a" * 4000}) as socket,
        ):
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"
            kept = [one for one in server.server_state.connections if isinstance(one, LeanSocket)]
            assert len(kept) == 1
            assert len(kept[0].request.headers) == len(kept[0].response.headers) == 0
            assert kept[0].scope["headers"] == []
        server.should_exit = True
        await serving


async def test_another_server_is_left_alone() -> None:
    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    forget_handshakes(receive)
