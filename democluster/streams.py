"""Exec and attach: a process of a container, and a client that is connected to it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping

from aiohttp import web

from democluster.container import Container
from democluster.frames import (
    ClientGone,
    Connection,
    Options,
    Subprotocol,
    choose_subprotocol,
)
from democluster.images import CommandNotStarted
from democluster.kubelet import Kubelet
from democluster.process import Process
from democluster.rbac import authorize, forbidden_without_reason
from democluster.requests import ApiRequest
from democluster.status import bad_request, method_not_allowed
from democluster.store import Store
from democluster.target import PodContainer, find_target

MAX_FRAME_BYTES = 32 * 1024 * 1024
"""The longest frame from a client, like in a real API server. Longer ones end the connection."""

CLOSE_SECONDS = 1.0
"""How long the client's answer to our closing handshake is waited for."""


class StreamServer:
    """Serves exec and attach. `leftovers` owns what outlives its client."""

    def __init__(
        self, store: Store, kubelets: Mapping[str, Kubelet], leftovers: asyncio.TaskGroup
    ) -> None:
        self._store = store
        self._kubelets = kubelets
        self._leftovers = leftovers

    async def handle(self, request: ApiRequest) -> web.StreamResponse:
        """Answer `…/exec` or `…/attach`. Raises ApiError."""
        if request.verb not in ("get", "create"):
            raise method_not_allowed()
        wanted = request.attributes
        if request.verb == "get":
            create = type(wanted)(
                "create",
                wanted.group,
                wanted.resource,
                wanted.subresource,
                wanted.namespace,
                wanted.name,
            )
            if not authorize(self._store, request.user, create).allowed:
                raise forbidden_without_reason(request.resource, request.name)
        target = find_target(self._store, request)
        if not target.node:
            raise bad_request(f"pod {request.name} does not have a host assigned")
        if request.http.headers.get("Upgrade", "").lower() != "websocket":
            raise bad_request("Upgrade request required")
        chosen = choose_subprotocol(request.http)
        if chosen is None:
            return web.Response(status=403)
        return await self._serve(request, target, chosen, _options(request))

    async def _serve(
        self,
        request: ApiRequest,
        target: PodContainer,
        subprotocol: Subprotocol,
        options: Options,
    ) -> web.StreamResponse:
        container = self._kubelets[target.node].running(target.uid, target.name)
        refusal: tuple[int, str] | None = None
        if not (options.stdin or options.stdout or options.stderr):
            refusal = (400, "you must specify at least 1 of stdin, stdout, stderr")
        elif container is None and request.subresource == "exec":
            refusal = (500, f'container not found ("{target.name}")')
        elif container is None:
            pod = f"{request.name}_{request.namespace}"
            refusal = (500, f"container {target.name} not found in pod {pod}")
        if refusal and subprotocol is not Subprotocol.V5:
            # Only v5 is spoken by the API server itself; the others end at the node, whose
            # refusal comes instead of the upgrade.
            return web.Response(status=refusal[0], text=refusal[1])
        socket = web.WebSocketResponse(
            protocols=(subprotocol,) if subprotocol else (),
            max_msg_size=MAX_FRAME_BYTES,
            timeout=CLOSE_SECONDS,
            compress=False,
        )
        await socket.prepare(request.http)
        connection = Connection(socket, subprotocol, options)
        with contextlib.suppress(ConnectionError):
            await connection.greet()
            if refusal:
                await connection.fail(f"unable to upgrade connection: {refusal[1]}")
            elif container is not None and request.subresource == "exec":
                await self._exec(connection, container)
            elif container is not None:
                await _attach(connection, container)
            await socket.close()
        return socket

    async def _exec(self, connection: Connection, container: Container) -> None:
        options = connection.options
        try:
            process = container.start_process(options.command, tty=options.tty, stdin=options.stdin)
        except (CommandNotStarted, OSError) as error:
            await connection.fail(_exec_failure(error), doubled=True)
            return
        code: int | None = None
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(connection.feed(process))
                async with asyncio.TaskGroup() as pumps:
                    for channel in process.outputs:
                        pumps.create_task(_pump(process, channel, connection))
                code = await process.wait()
                reader.cancel()
        except* (ClientGone, ConnectionError):
            pass
        finally:
            # Like on a real node the process stays when its client goes; only its input ends.
            process.close_stdin()
            self._leftovers.create_task(_close_after_exit(process))
        if code is not None:
            await connection.exit(code)


async def _attach(connection: Connection, container: Container) -> None:
    ended = asyncio.Event()

    async def take(channel: int, data: bytes) -> None:
        if not data:
            ended.set()
            return
        try:
            await connection.output(channel, data)
        except ConnectionError:
            detach()

    detach = container.attach(take)
    try:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(connection.feed(container))
            await ended.wait()
            reader.cancel()
    except* (ClientGone, ConnectionError):
        pass
    finally:
        detach()
    if ended.is_set():
        # However the main process ended, an attach that saw its end was a success.
        await connection.succeed()


async def _pump(process: Process, channel: int, connection: Connection) -> None:
    while data := await process.read(channel):
        await connection.output(channel, data)


async def _close_after_exit(process: Process) -> None:
    try:
        await process.wait()
    finally:
        process.close()


def _options(request: ApiRequest) -> Options:
    tty = request.flag("tty")
    return Options(
        command=request.http.query.getall("command", []),
        stdin=request.flag("stdin"),
        stdout=request.flag("stdout"),
        stderr=request.flag("stderr") and not tty,
        tty=tty,
    )


def _exec_failure(error: Exception) -> str:
    return (
        "error executing command in container: failed to exec in container: failed to start exec "
        f'"{secrets.token_hex(32)}": OCI runtime exec failed: {error}: unknown'
    )
