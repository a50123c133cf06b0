"""config.lifespan: what lives as long as the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from config import lifespan as module
from config.lifespan import Lifespan, WithLifespan


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Serve nothing."""


async def test_what_starts_first_ends_last() -> None:
    said: list[str] = []
    lifespan = Lifespan()

    async def start() -> None:
        said.append("hook start")

    async def stop() -> None:
        said.append("hook stop")

    @asynccontextmanager
    async def held() -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(asyncio.Event().wait())
            said.append("held")
            yield
            said.append("let go")
            task.cancel()

    lifespan.on_start(start)
    lifespan.hold(held)
    lifespan.on_stop(stop)

    await asyncio.gather(*(lifespan.start() for _ in range(5)))
    assert said == ["hook start", "held"]
    await lifespan.stop()
    await lifespan.stop()

    assert said == ["hook start", "held", "hook stop", "let go"]


async def test_a_failed_start_ends_what_was_started_and_is_told() -> None:
    said: list[str] = []
    lifespan = Lifespan()

    async def stop() -> None:
        said.append("stopped")

    async def fail() -> None:
        raise RuntimeError("no cluster")

    lifespan.on_stop(stop)
    lifespan.on_start(fail)

    with pytest.raises(RuntimeError, match="no cluster"):
        await lifespan.start()

    assert said == ["stopped"]
    await lifespan.stop()


async def talk(lifespan: Lifespan, *messages: str) -> list[str]:
    """Return what an ASGI server is answered."""
    queue = [{"type": f"lifespan.{message}"} for message in messages]
    answers: list[str] = []

    async def receive() -> Any:
        return queue.pop(0)

    async def send(message: Any) -> None:
        answers.append(message["type"])

    await WithLifespan(nothing, lifespan)({"type": "lifespan"}, receive, send)
    return answers


async def test_a_server_with_lifespan_is_answered() -> None:
    assert await talk(Lifespan(), "startup", "shutdown") == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_failed_start_is_answered() -> None:
    async def fail() -> None:
        raise RuntimeError("no cluster")

    lifespan = Lifespan()
    lifespan.on_start(fail)

    assert await talk(lifespan, "startup") == ["lifespan.startup.failed"]


async def test_a_server_without_lifespan_starts_with_the_first_request() -> None:
    said: list[str] = []

    async def start() -> None:
        said.append("started")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        said.append(scope["type"])

    lifespan = Lifespan()
    lifespan.on_start(start)
    wrapped: Any = WithLifespan(application, lifespan)

    await wrapped({"type": "http"}, None, None)
    await wrapped({"type": "websocket"}, None, None)
    await lifespan.stop()

    assert said == ["started", "http", "websocket"]


async def test_what_does_not_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    lifespan = Lifespan()
    lifespan.on_stop(hang)
    await lifespan.start()

    async with asyncio.timeout(5):
        await lifespan.stop()
