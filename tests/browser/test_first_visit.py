"""From the printed address to a prompt, as somebody who has never been here."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Chromium
from tests.e2e.running import PASSWORD, RunningHatchway


def test_a_wrong_password_is_answered_and_the_right_one_leads_to_a_prompt(
    chromium: Chromium, house: RunningHatchway, container: str
) -> None:
    window = chromium.person(house, None).visits()
    page = window.page
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")

    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Alice")).to_be_visible()
    tree = page.get_by_role("tree")
    cluster, _, pod, name_inside = container.split("/")
    for name in (cluster, "shop", "default"):
        expect(tree.get_by_role("treeitem", name=name).first).to_be_visible()
    expect(tree).not_to_contain_text("vault")

    row = tree.get_by_role("treeitem", name=pod)
    row.first.click()
    # A pod with several containers shows them; of one with a single one this click is enough.
    if row.first.get_attribute("aria-expanded") == "true":
        tree.get_by_role("treeitem", name=name_inside).first.click()
    window.is_live()
    window.prompts()
    assert page.url == f"{house.origin}/t/{container}"
    assert pod in page.title()
    crumbs = page.get_by_role("navigation", name="Where you are")
    for part in container.split("/"):
        expect(crumbs).to_contain_text(part)
