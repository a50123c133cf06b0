"""Pastes: asked about when they have several lines, and never able to leave their brackets."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Person, Window


def paste(window: Window, text: str) -> None:
    """Put text into the clipboard and press the key of pasting."""
    window.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    window.presses("Control+Shift+V")


def test_several_lines_are_pasted_only_after_a_question(alice: Person, web: str) -> None:
    window = alice.opens(web)
    window.types("clear; cat -v\n")
    window.until(lambda: window.text() == "", "an empty screen")
    paste(window, "one\ntwo\n")
    dialog = window.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Paste 2 lines?")
    window.button("Cancel").click()
    expect(dialog).to_be_hidden()

    paste(window, "three\nfour\n")
    dialog.get_by_label("Don't ask again in this session").check()
    window.button("Paste").last.click()
    window.sees("four")
    assert "one" not in window.text()

    paste(window, "five\nsix\n")
    window.sees("six")
    expect(dialog).to_be_hidden()


def test_a_paste_cannot_end_its_own_brackets(alice: Person, web: str) -> None:
    window = alice.opens(web)
    window.types("clear; printf '\\033[?2004h'; cat -v\n")
    window.until(lambda: window.text() == "", "an empty screen")
    paste(window, "a\x1b[201~;id\x9b201~\x03b")
    window.presses("Enter")
    # The two brackets are the terminal's; between them stands no control character.
    window.sees("^[[200~a[201~;id201~b^[[201~")
