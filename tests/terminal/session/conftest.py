"""Jumping time for every test of the session core, and no task left behind by any of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.terminal.session.clock import JumpingLoop

REAL_TIME = "real_time"
"""Modules whose name has this talk to real processes and live in real time."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let loops jump from timer to timer."""
    if REAL_TIME in item.path.name:
        return {"real": asyncio.new_event_loop}
    return {"jumping": JumpingLoop}


@pytest.fixture(autouse=True)
async def _no_task_is_left() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()}
    assert not left, left
