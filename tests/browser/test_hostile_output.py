"""What a program prints, and how things are called, never becomes a part of the page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Person

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "javascript:alert(4)",
    "{{constructor.constructor('alert(5)')()}}",
)
LINKS = ("javascript:alert(6)", "data:text/html,<script>alert(7)</script>", "file:///etc/passwd")


def test_markup_in_titles_and_output_stays_text(alice: Person, web: str) -> None:
    window = alice.opens(web)
    page = window.page
    for number, payload in enumerate(PAYLOADS):
        quoted = payload.replace("'", "'\\''")
        window.types(f"printf '\\033]0;%s\\007' 't{number} {quoted}'\n")
        expect(
            page.locator(".tab", has_text=f"t{number} {payload}").or_(
                page.locator(f'.tab[title*="t{number} "]')
            )
        ).to_be_visible()
        window.sees(payload[:12])
    injected = page.evaluate(
        "() => document.querySelectorAll('img, body script, [onerror], [onload]').length"
    )
    assert injected == 0


def test_a_link_that_does_not_lead_to_the_web_does_nothing(alice: Person, web: str) -> None:
    window = alice.opens(web)
    page = window.page
    opened: list[str] = []
    alice.context.on("page", lambda other: opened.append(other.url))
    for number, link in enumerate(LINKS):
        window.types(
            f"clear; printf '\\033]8;;{link}\\033\\\\%s\\033]8;;\\033\\\\\\n' press-{number}-me''\n"
        )
        row = window.terminal.locator(".xterm-rows > div", has_text=f"press-{number}-me").last
        window.until(lambda: window.lines().count(f"press-{number}-me") == 1, "the link")  # noqa: B023
        box = row.bounding_box()
        assert box is not None
        for modifier in ("", "Control"):
            if modifier:
                page.keyboard.down(modifier)
            page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
            page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
            if modifier:
                page.keyboard.up(modifier)
        expect(window.terminal.locator(".hatchway-terminal-link")).to_be_hidden()
    assert opened == []
    window.runs("echo still-$((40 + 2))", "still-42")


def test_a_link_to_the_web_opens_in_a_window_of_its_own(alice: Person, web: str) -> None:
    window = alice.opens(web)
    # An address of this machine: nothing leaves it.
    link = f"{alice.origin}/sign-in"
    window.types(f"clear; printf '\\033]8;;{link}\\033\\\\%s\\033]8;;\\033\\\\\\n' press-''me\n")
    window.until(lambda: "press-me" in window.lines(), "the link")
    box = window.terminal.locator(".xterm-rows > div", has_text="press-me").last.bounding_box()
    assert box is not None
    window.page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    expect(window.terminal.locator(".hatchway-terminal-link")).to_have_text(link)
    with alice.context.expect_page() as opened:
        window.page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    assert opened.value.evaluate("() => window.opener") is None
