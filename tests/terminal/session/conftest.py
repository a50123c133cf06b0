"""Jumping time for every test of the session core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.terminal.session.clock import JumpingLoop

REAL_TIME = "test_real_time.py"
"""Talks to a real helper process and lives in real time."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let loops jump from timer to timer."""
    if item.path.name == REAL_TIME:
        return {"real": asyncio.new_event_loop}
    return {"jumping": JumpingLoop}
