"""What a person is told in both languages: why not, which shell, that nothing was printed yet."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import Chromium
from tests.e2e.running import RunningHatchway

pytestmark = pytest.mark.browser

WORDS = {
    "en-US": {
        "stopped": "The container is not running (",
        "live": "Live",
        "debug": "Start a debug container",
        "create": "Start and attach",
        "refused": "You may not open this terminal",
        "ask": "Ask admin.",
    },
    "zh-CN": {
        "stopped": "容器未在运行（",
        "live": "已连接",
        "debug": "启动调试容器",
        "create": "启动并附加",
        "refused": "无权打开此终端",
        "ask": "请联系 admin。",
    },
}


@pytest.mark.parametrize("locale", sorted(WORDS))
def test_a_refusal_is_told_in_the_language_of_the_page(
    demo: RunningHatchway, chromium: Chromium, locale: str
) -> None:
    page = chromium.person(demo, "alice", locale=locale).visits().page
    row = page.get_by_role("treeitem").filter(has_text="crash").last
    row.click(button="right")

    expect(page.get_by_role("menu")).to_contain_text(WORDS[locale]["stopped"])
    page.screenshot(path=f"test-results/reasons-{locale}-menu.png")


@pytest.mark.parametrize("locale", sorted(WORDS))
def test_who_may_not_open_a_terminal_is_told_so_and_whom_to_ask_once(
    demo: RunningHatchway, chromium: Chromium, web: str, locale: str
) -> None:
    page = chromium.person(demo, "vera", locale=locale).visits(f"/t/{web}").page
    alert = page.get_by_role("alert")

    expect(alert.get_by_role("heading")).to_have_text(WORDS[locale]["refused"])
    expect(alert).to_contain_text(WORDS[locale]["ask"])
    expect(alert.locator("p")).to_have_count(1)
    page.screenshot(path=f"test-results/reasons-{locale}-refused.png")


@pytest.mark.parametrize("locale", sorted(WORDS))
def test_a_tab_and_the_title_tell_the_shell_that_runs(
    demo: RunningHatchway, chromium: Chromium, web: str, locale: str
) -> None:
    page = chromium.person(demo, "alice", locale=locale).visits(f"/t/{web}").page

    expect(page.locator(".tab .shell").first).to_have_text(re.compile("^(bash|sh)$"))
    expect(page).to_have_title(re.compile(r"/web \((bash|sh)\)"))
    page.screenshot(path=f"test-results/reasons-{locale}-shell.png")


@pytest.mark.parametrize("locale", sorted(WORDS))
def test_a_new_debug_container_is_typed_in_at_once_and_a_second_attach_is_not(
    demo: RunningHatchway, chromium: Chromium, locale: str
) -> None:
    words = WORDS[locale]
    person = chromium.person(demo, "alice", locale=locale)
    page = person.visits().page
    page.get_by_role("treeitem").filter(has_text=re.compile("^worker-")).last.click(button="right")
    page.get_by_role("menuitem", name=words["debug"]).click()
    page.get_by_role("button", name=words["create"]).click()
    page.wait_for_url("**/hatchway-debug-**")
    terminal = page.locator("section.terminal:visible")
    expect(page.locator("footer.status")).to_contain_text(words["live"])
    expect(terminal.locator(".strip")).to_have_count(0)
    page.keyboard.type("echo one$((1+1))\n")
    expect(terminal).to_contain_text("one2")
    page.screenshot(path=f"test-results/reasons-{locale}-debug.png")

    again = person.visits(page.url.removeprefix(person.origin)).page
    expect(again.locator("section.terminal:visible .strip")).to_be_visible()
