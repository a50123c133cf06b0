"""From the printed address to a prompt, as somebody who has never been here."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Chromium
from tests.e2e.running import PASSWORD, RunningHatchway


def test_a_wrong_password_is_answered_and_the_right_one_leads_to_a_prompt(
    chromium: Chromium, demo: RunningHatchway, web: str
) -> None:
    window = chromium.person(demo, None).visits()
    page = window.page
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")

    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Alice")).to_be_visible()
    tree = page.get_by_role("tree")
    for name in ("demo", "shop", "default"):
        expect(tree.get_by_role("treeitem", name=name).first).to_be_visible()
    expect(tree).not_to_contain_text("vault")

    pod = web.split("/")[2]
    tree.get_by_role("treeitem", name=pod).click()
    window.is_live()
    window.prompts()
    assert page.url == f"{demo.origin}/t/{web}"
    assert pod in page.title()
    crumbs = page.get_by_role("navigation", name="Where you are")
    for part in web.split("/"):
        expect(crumbs).to_contain_text(part)
