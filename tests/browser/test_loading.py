"""What is seen while the page cannot start yet."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.person import Chromium
from tests.e2e.running import RunningHatchway

pytestmark = pytest.mark.browser

WORDS = {
    "en-US": ("Loading… If this stays, load the page again.", "Welcome"),
    "zh-CN": ("正在加载……如果一直停在这里，请重新加载页面。", "欢迎"),
}


@pytest.mark.parametrize("locale", sorted(WORDS))
@pytest.mark.parametrize("what", ["**/assets/*.js", "**/api/me"])
def test_a_page_that_waits_says_so_and_goes_on_when_it_can(
    demo: RunningHatchway, chromium: Chromium, locale: str, what: str
) -> None:
    person = chromium.person(demo, "aaron", locale=locale, color_scheme="dark")
    waiting: list[Route] = []
    goes_on = False
    # Nothing is answered until the test goes on with it; what is asked for later is.
    person.context.route(
        what, lambda route: route.continue_() if goes_on else waiting.append(route)
    )
    page = person.context.new_page()
    page.goto(demo.origin, wait_until="commit")

    loading, welcome = WORDS[locale]
    # The style sheet hides it at first: most starts are over before anybody could read it.
    expect(page.get_by_text(loading)).to_have_css("display", "flex")
    expect(page.get_by_text(loading)).to_be_visible()
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 20, 22)")
    page.screenshot(path=f"test-results/loading-{locale}.png")

    goes_on = True
    for route in waiting:
        route.continue_()
    expect(page.get_by_role("heading", name=welcome)).to_be_visible()
    expect(page.get_by_text(loading)).to_have_count(0)
