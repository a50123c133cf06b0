"""One session and several windows: the newest owns it, and a copy of a tab steals nothing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Person, Window


def test_the_newer_window_takes_over_and_the_older_takes_it_back(alice: Person, web: str) -> None:
    older = alice.opens(web)
    pid = older.pid()
    session = older.session()

    newer = alice.visits(f"/t/{web}?session={session}")
    newer.is_live()
    expect(newer.status).to_contain_text("Owner")
    expect(older.terminal).to_contain_text("A newer tab took this session over.")
    expect(older.status).to_contain_text("Read-only viewer")
    older.types("echo from-the-older\n")
    newer.runs("echo newer-$((40 + 2))", "newer-42")
    older.sees("newer-42")
    assert "from-the-older" not in newer.text()

    older.button("Take back").click()
    expect(older.status).to_contain_text("Owner")
    expect(newer.terminal).to_contain_text("A newer tab took this session over.")
    assert older.pid() == pid


def test_a_duplicated_tab_asks_before_it_takes_anything(alice: Person, web: str) -> None:
    first = alice.opens(web)
    pid = first.pid()
    memory = first.page.evaluate("() => JSON.stringify(sessionStorage)")

    page = alice.context.new_page()
    page.add_init_script(
        f"for (const [key, value] of Object.entries({memory})) sessionStorage.setItem(key, value);"
    )
    page.goto(first.page.url)
    copy = Window(page)
    expect(copy.terminal).to_contain_text("This session is open in another tab of this browser.")
    expect(first.status).to_contain_text("Owner")
    assert first.pid() == pid

    copy.button("Start a new one").click()
    copy.is_live()
    copy.prompts()
    assert copy.pid() != pid
    expect(first.status).to_contain_text("Owner")
