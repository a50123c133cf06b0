"""The page is reloaded: the same shell, the same screen, and nothing typed by the terminal."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Person

QUERIES = r"\033[c\033[>c\033[6n\033[?2004$p\033]10;?\007"
"""Device attributes, cursor position, a mode, a colour: a live terminal answers all of them."""


def test_vi_is_as_it_was_after_a_reload(resident: Person, container: str) -> None:
    window = resident.opens(container)
    before = window.pid()
    window.types("vi\n")
    window.until(lambda: window.text().count("~") > 10, "vi")
    window.types("iabc 123\nthree\nlines")
    window.sees("lines")
    window.presses("Escape")
    window.types("kx")
    window.sees("thre\n")
    seen = window.lines()

    window.page.reload()
    window.is_live()
    window.until(lambda: window.lines() == seen, "the same screen")
    window.types("x:q!\n")
    window.prompts()
    assert "abc" not in window.text()
    assert window.pid() == before


def test_vi_is_as_it_was_after_ten_megabytes(resident: Person, container: str) -> None:
    window = resident.opens(container)
    before = window.pid()
    window.runs("head -c 10000000 /dev/zero | tr '\\0' x | fold -w 70; echo d''one", "done")
    window.types("vi\n")
    window.until(lambda: window.text().count("~") > 10, "vi")
    window.types("isome text\nmore")
    window.sees("more")
    seen = window.lines()

    window.page.reload()
    window.is_live()
    window.until(lambda: window.lines() == seen, "the same screen")
    window.presses("Escape")
    window.types(":q!\n")
    window.prompts()
    assert window.pid() == before
    for _ in range(100):
        if "of output skipped" in window.text():
            break
        window.presses("Shift+PageUp")
    window.sees("of output skipped")


def test_the_terminal_types_nothing_itself_when_queries_are_replayed(
    resident: Person, container: str
) -> None:
    window = resident.opens(container)
    # A live terminal answers; the answers are read away.
    answers = window.answer(
        f"printf '{QUERIES}' >/dev/tty; read -rs -t 2 -N 4000 it; echo ${{#it}}"
    )
    assert int(answers) > 20
    window.types("clear; cat -v\n")
    window.until(lambda: window.text() == "", "an empty screen")
    for _ in range(3):
        window.page.reload()
        window.is_live()
    expect(window.page.locator(".tab")).to_have_count(1)
    window.types("end\n")
    window.until(lambda: window.lines()[:2] == ["end", "end"], "only what was typed")
    assert window.text() == "end\nend"
