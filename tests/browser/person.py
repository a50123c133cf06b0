"""A person at a browser: what they see of a terminal, and what they do."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.e2e.person import sign_in
from tests.e2e.running import RunningHatchway

DEADLINE = 20.0
"""Seconds that a test waits for anything to be seen."""
POLL_MS = 40
NUMBERS = itertools.count(1000)
"""Marks the question that an answer belongs to."""

WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (report) => {
  console.error(`CSP ${report.violatedDirective} ${report.sourceFile}:${report.lineNumber}`
    + ` ${report.blockedURI} ${report.sample}`);
});
"""
EXPECTED = re.compile(r"^Failed to load resource|^WebSocket connection to .* failed")
"""What Chromium itself says of a refused sign-in or of a cut line."""

expect.set_options(timeout=DEADLINE * 1000)


class Chromium:
    """Opens browsers for people and collects what must not have happened in any of them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def person(
        self, hatchway: RunningHatchway, username: str | None, *, origin: str = "", **context: Any
    ) -> Person:
        """Open a browser with an empty profile, where `username` is signed in."""
        options: dict[str, Any] = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-US",
            "color_scheme": "light",
            **context,
        }
        opened = self._browser.new_context(**options)
        opened.set_default_timeout(DEADLINE * 1000)
        opened.add_init_script(WATCH_POLICY)
        opened.grant_permissions(["clipboard-read", "clipboard-write"])
        opened.on("page", self._watch)
        self._contexts.append(opened)
        origin = origin or hatchway.origin
        if username is not None:
            cookies = [
                {"name": cookie.name, "value": cookie.value or "", "url": origin}
                for cookie in sign_in(hatchway, username).jar
            ]
            opened.add_cookies(cookies)  # type: ignore[arg-type]
        return Person(opened, origin)

    def close(self) -> None:
        """Close everything. Raises AssertionError if a page threw or broke the policy."""
        for context in self._contexts:
            context.close()
        assert self.faults == []

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self._refuse(dialog))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            self.faults.append(f"console: {message.text[:500]}")

    def _refuse(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Person:
    """Somebody with a browser of their own: one profile, some windows."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin

    def visits(self, path: str = "/") -> Window:
        """Open a path in a new window."""
        page = self.context.new_page()
        page.goto(self.origin + path)
        return Window(page)

    def opens(self, target: str, query: str = "") -> Window:
        """Open a terminal by its address, and wait for the prompt."""
        window = self.visits(f"/t/{target}{query}")
        window.is_live()
        window.prompts()
        return window


class Window:
    """One page of the browser, seen through its visible terminal."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def terminal(self) -> Locator:
        """The terminal that is shown."""
        return self.page.locator("section.terminal:visible")

    @property
    def status(self) -> Locator:
        """The line at the bottom that says how things are."""
        return self.page.locator("footer.status")

    def button(self, name: str) -> Locator:
        """Return the button with exactly this text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def is_live(self) -> None:
        """Wait until the status line says so."""
        expect(self.status).to_contain_text("Live")

    def lines(self) -> list[str]:
        """Return the visible rows, without the blanks at their ends."""
        texts = self.page.evaluate(
            """() => [...document.querySelectorAll('section.terminal')]
              .filter((one) => one.offsetParent !== null)
              .flatMap((one) => [...one.querySelectorAll('.xterm-rows > div')])
              .map((row) => row.textContent)"""
        )
        return [text.replace("\u00a0", " ").rstrip() for text in texts]

    def text(self) -> str:
        """Return the visible screen."""
        return "\n".join(self.lines()).rstrip()

    def until(self, condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
        """Wait for a condition, while the page lives on."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not seen: {what}; the screen is\n{self.text()}\n"
                    f"and the page {self.page.locator('body').inner_text()[-300:]!r}"
                )
            self.page.wait_for_timeout(POLL_MS)

    def sees(self, text: str, seconds: float = DEADLINE) -> None:
        """Wait until the screen shows the text, also when it is wrapped."""
        self.until(
            lambda: text in self.text() or text in "".join(self.lines()), repr(text), seconds
        )

    def prompts(self, seconds: float = DEADLINE) -> None:
        """Wait until the last line that is not empty is a prompt."""
        self.until(lambda: re.search(r"[$#]\Z", self.text()), "a prompt", seconds)

    def types(self, text: str) -> None:
        """Type into the terminal that is shown."""
        self.terminal.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.type(text)

    def presses(self, key: str) -> None:
        """Press a key in the terminal that is shown."""
        self.terminal.locator(".xterm-helper-textarea").focus()
        self.page.keyboard.press(key)

    def runs(self, command: str, expected: str) -> None:
        """Type a command and wait for its answer, which the command itself must not contain."""
        assert expected not in command
        self.types(command + "\n")
        self.sees(expected)

    def session(self) -> str:
        """Return the id of the session that this tab remembers; there must be only one."""
        found: str = self.page.evaluate(
            """() => Object.entries(sessionStorage)
              .filter(([key]) => key.startsWith("hatchway.terminal."))
              .map(([, value]) => JSON.parse(value).session)
              .reduce((one) => { throw new Error(`another than ${one}`); })"""
        )
        return found

    def answer(self, command: str) -> str:
        """Return the one line that a command prints."""
        mark = f"a{next(NUMBERS)}"
        self.types(f"echo {mark}=$({command})=\n")
        pattern = re.compile(rf"^{mark}=(.*)=$", re.MULTILINE)
        found: list[re.Match[str] | None] = []

        def is_answered() -> bool:
            found[:] = [pattern.search(self.text())]
            return found != [None]

        self.until(is_answered, "an answer")
        assert found[0] is not None
        return found[0][1]

    def pid(self) -> str:
        """Ask the shell for its process id."""
        return self.answer("echo $$")
