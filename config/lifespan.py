"""What lives as long as the process: started before the first request, ended at the last.

One keeper task enters and leaves everything, so that a TaskGroup may be held. Uvicorn says when
(ASGI lifespan). Daphne says nothing: there the keeper starts with the first request and ends
when Twisted's reactor is about to shut down.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from config.asgitypes import Application, Receive, Scope, Send
from config.uvicorn_heads import limit_heads
from config.uvicorn_sockets import forget_handshakes

logger = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None]]
STOP_SECONDS = 20
"""How long everything together may take to end; a supervisor kills at 30."""


class Lifespan:
    """Starts what is registered, in order, and ends it in the opposite order.

    Register while the application is composed, before the first request.
    """

    def __init__(self) -> None:
        self._scopes: list[Callable[[], AbstractAsyncContextManager[object]]] = []
        self._keeper: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._stopping: asyncio.Event | None = None

    def hold(self, scope: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        """Keep a context open while the process serves. It may hold a TaskGroup."""
        self._scopes.append(scope)

    def on_start(self, hook: Hook) -> None:
        """Await `hook` before the first request is served. Raising stops the start."""

        @asynccontextmanager
        async def scope() -> AsyncIterator[None]:
            await hook()
            yield

        self.hold(scope)

    def on_stop(self, hook: Hook) -> None:
        """Await `hook` when the process is about to end."""

        @asynccontextmanager
        async def scope() -> AsyncIterator[None]:
            try:
                yield
            finally:
                await hook()

        self.hold(scope)

    async def start(self) -> None:
        """Start everything, once; later and concurrent calls wait for the first one.

        Raises what a hook raised; everything that was started before it is then ended.
        """
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._stopping = asyncio.Event()
            # The keeper is owned by this object: `stop` awaits it.
            self._keeper = asyncio.Task(self._keep(self._started, self._stopping), loop=loop)
            _stop_before_twisted_does(self.stop)
        await asyncio.shield(self._started)

    async def stop(self) -> None:
        """End everything that was started, within STOP_SECONDS. Calling twice does no harm."""
        if self._keeper is None or self._stopping is None:
            return
        self._stopping.set()
        _, late = await asyncio.wait({self._keeper}, timeout=STOP_SECONDS)
        if late:
            logger.error("The process did not end in order within %d s.", STOP_SECONDS)
            self._keeper.cancel()
            await asyncio.wait({self._keeper}, timeout=1)

    async def _keep(self, started: asyncio.Future[None], stopping: asyncio.Event) -> None:
        try:
            async with AsyncExitStack() as stack:
                for scope in self._scopes:
                    await stack.enter_async_context(scope())
                started.set_result(None)
                await stopping.wait()
        except Exception as error:
            if started.done():
                logger.exception("Something that lives as long as the process failed.")
            else:
                started.set_exception(error)
        finally:
            if not started.done():
                started.cancel()


class WithLifespan:
    """Wrap an application: answer lifespan messages, and make sure of the start without them."""

    def __init__(self, application: Application, lifespan: Lifespan) -> None:
        self._application = application
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the lifespan of the process."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
            return
        await self._lifespan.start()
        await self._application(scope, receive, send)

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                limit_heads(receive)
                forget_handshakes(receive)
                try:
                    await self._lifespan.start()
                except Exception as error:
                    logger.exception("The process could not start.")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._lifespan.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _stop_before_twisted_does(stop: Hook) -> None:
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None or not reactor.running:
        return
    from twisted.internet.defer import Deferred

    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromFuture(asyncio.ensure_future(stop()))
    )
