"""A shell in a tab: its size, its characters, its successor, its end."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.person import Chromium, Person, Window
from tests.e2e.running import RunningHatchway


def test_the_program_knows_the_size_that_the_window_has(resident: Person, container: str) -> None:
    window = resident.opens(container)
    for width, height in ((1280, 800), (900, 500), (1500, 900)):
        window.page.set_viewport_size({"width": width, "height": height})
        window.until(lambda: asked_size(window) == shown_size(window), "stty size as shown")
        cols, rows = shown_size(window)
        assert cols > width / 16
        assert rows > height / 40


def asked_size(window: Window) -> tuple[int, int]:
    """Ask the terminal's driver in the container for columns and rows."""
    rows, cols = window.answer("stty size").split()
    return int(cols), int(rows)


def shown_size(window: Window) -> tuple[int, int]:
    """Read columns and rows from the status line."""
    found = re.search(r"(\d+)×(\d+)", window.status.inner_text())
    assert found is not None
    return int(found[1]), int(found[2])


def test_chinese_and_emoji_go_both_ways(resident: Person, container: str) -> None:
    window = resident.opens(container)
    window.types("printf '%s\\n' '")
    window.page.keyboard.insert_text("容器 こんにちは 🚀")
    window.types("' | od -An -tx1 | tr -d ' \\n'; printf '\\n\\346\\274\\242<\\xff>\\n'\n")
    window.sees("e5aeb9e599a820e38193e38293e381abe381a1e381af20f09f9a800a")
    window.sees("容器 こんにちは 🚀")
    # xterm.js leaves an invalid byte out; what stands around it must arrive.
    window.sees("漢<>")


def test_another_shell_starts_in_the_same_tab_after_a_confirmation(
    resident: Person, container: str
) -> None:
    window = resident.opens(container)
    before = window.pid()
    window.runs("echo is-${BASH_VERSION:+bash}", "is-bash")
    menu = window.terminal.get_by_role("button", name="Shell: bash")
    menu.click()
    window.page.get_by_role("menuitemradio", name="sh", exact=True).click()
    window.button("Cancel").click()
    assert window.pid() == before

    menu.click()
    window.page.get_by_role("menuitemradio", name="sh", exact=True).click()
    window.button("End it and start").click()
    expect(window.terminal.get_by_role("button", name="Shell: sh")).to_be_visible()
    window.is_live()
    window.prompts()
    assert window.page.locator(".tab").count() == 1
    window.runs("echo now-${BASH_VERSION:-plain}", "now-plain")
    window.runs(f"kill -0 {before} || echo go''ne", "gone")


def test_an_ended_shell_says_its_exit_code_and_starts_again(
    resident: Person, container: str
) -> None:
    window = resident.opens(container)
    before = window.pid()
    window.types("exit 7\n")
    ended = window.terminal.locator(".ended")
    expect(ended).to_contain_text("exit code 7")
    window.button("Start again").click()
    expect(ended).to_be_hidden()
    window.is_live()
    window.prompts()
    assert window.pid() != before


def test_a_terminal_drawn_with_webgl_works(
    webgl_browser: Browser, demo: RunningHatchway, web: str
) -> None:
    chromium = Chromium(webgl_browser)
    window = chromium.person(demo, "alice").visits(f"/t/{web}")
    window.is_live()
    expect(window.terminal.locator("canvas").first).to_be_visible()
    # WebGL's text cannot be read; the program can tell that it was typed to.
    window.types("exit 9\n")
    expect(window.terminal.locator(".ended")).to_contain_text("exit code 9")
    chromium.close()
