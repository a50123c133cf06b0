"""What a load client waits for."""

from __future__ import annotations

import asyncio

import pytest

from bench.screen import Screen


class Typewriter(Screen):
    """Shows nothing by itself."""

    async def type(self, data: bytes) -> None:
        """Do nothing."""


async def test_a_word_is_found_across_pieces() -> None:
    screen = Typewriter()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(screen.until(b"ready> "))
        await asyncio.sleep(0)
        screen.take(b"x" * 10_000 + b"rea")
        assert not waiting.done()
        screen.take(b"dy> ")

    assert screen.received == 10_007


async def test_forgotten_words_are_not_found_again() -> None:
    screen = Typewriter()
    screen.take(b"ready> ")
    await screen.until(b"ready> ")
    screen.forget()

    with pytest.raises(TimeoutError, match="was not seen"):
        await screen.until(b"ready> ", seconds=0.01)


async def test_a_redrawn_screen_is_seen_and_is_no_output() -> None:
    screen = Typewriter()
    screen.take(b"ready> ", is_output=False)
    await screen.until(b"ready> ")

    assert screen.received == 0


async def test_an_end_is_told_to_whoever_waits() -> None:
    screen = Typewriter()
    asyncio.get_running_loop().call_soon(lambda: screen.fail(ConnectionError("gone")))

    with pytest.raises(ConnectionError, match="gone"):
        await screen.until(b"ready> ")
