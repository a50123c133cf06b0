"""What a load client waits for."""

from __future__ import annotations

import asyncio

import pytest

from bench import screen
from bench.screen import Screen


class Typewriter(Screen):
    """Shows nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.typed: list[bytes] = []

    async def type(self, data: bytes) -> None:
        """Note it."""
        self.typed.append(data)


async def test_a_word_is_found_across_pieces() -> None:
    page = Typewriter()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(page.until(b"ready> "))
        await asyncio.sleep(0)
        page.take(b"x" * 10_000 + b"rea")
        assert not waiting.done()
        page.take(b"dy> ")

    assert page.received == 10_007


async def test_forgotten_words_are_not_found_again() -> None:
    page = Typewriter()
    page.take(b"ready> ")
    await page.until(b"ready> ")
    page.forget()

    with pytest.raises(TimeoutError, match="was not seen"):
        await page.until(b"ready> ", seconds=0.01)


async def test_a_redrawn_screen_is_seen_and_is_no_output() -> None:
    page = Typewriter()
    page.take(b"ready> ", is_output=False)
    await page.until(b"ready> ")

    assert page.received == 0


async def test_an_end_is_told_to_whoever_waits() -> None:
    page = Typewriter()
    asyncio.get_running_loop().call_soon(lambda: page.fail(ConnectionError("gone")))

    with pytest.raises(ConnectionError, match="gone"):
        await page.until(b"ready> ")


async def test_a_shell_that_lost_its_order_to_end_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen, "INTERRUPTED_SECONDS", 0)
    monkeypatch.setattr(screen, "LEAVE_SECONDS", 0)
    shell = Typewriter()

    await shell.leave(lambda: shell.typed.count(b"exit\r") == 2)

    assert shell.typed == [b"\x03", b"exit\r"] * 2


async def test_a_shell_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "INTERRUPTED_SECONDS", 0)
    monkeypatch.setattr(screen, "LEAVE_SECONDS", 0)
    shell = Typewriter()

    await shell.leave(lambda: False)

    assert shell.typed == [b"\x03", b"exit\r"] * screen.LEAVE_TRIES
