"""Jumping time for every test of the session core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

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
