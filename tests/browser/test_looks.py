"""Every page in both languages, both themes and three widths; screenshots are in test-results/."""

from __future__ import annotations

import os
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Chromium
from tests.e2e.running import ROOT, RunningHatchway

AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
RESULTS = ROOT / "test-results"
IMAGE = ROOT / "docs/images/terminal.png"
MAX_IMAGE_BYTES = 200 * 1024
WIDEST = 2560
"""Nothing is shown there that is not shown at 1280."""
SIZES = ((390, 844), (1280, 800), (WIDEST, 1440))
PAGES = {
    "overview": "/",
    "sessions": "/sessions",
    "account": "/account",
    "not-found": "/nothing/is/here",
}
FIND_FAULTS = """async () => {
  const { violations } = await axe.run(document);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_every_page_looks_intended(
    chromium: Chromium,
    demo: RunningHatchway,
    web: str,
    locale: str,
    theme: Literal["light", "dark"],
) -> None:
    if not AXE.exists():
        pytest.skip("needs axe-core: npm ci in frontend/")
    RESULTS.mkdir(exist_ok=True)
    stranger = chromium.person(demo, None, locale=locale, color_scheme=theme)
    faults = look_at(stranger.visits("/sign-in").page, f"sign-in-{locale}-{theme}")

    alice = chromium.person(demo, "alice", locale=locale, color_scheme=theme)
    window = alice.visits(f"/t/{web}")
    window.prompts()
    faults += look_at(window.page, f"terminal-{locale}-{theme}")
    for name, path in PAGES.items():
        window.page.goto(alice.origin + path)
        expect(window.page.locator("h1").first).to_be_visible()
        faults += look_at(window.page, f"{name}-{locale}-{theme}")
    window.page.close()
    assert faults == []


def look_at(page: Page, name: str) -> list[str]:
    """Return what is wrong with a page in any width; keep how it looks."""
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text())
    faults: list[str] = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=RESULTS / f"{name}-{width}.png", animations="disabled")
        scrolled = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if scrolled > 0:
            faults.append(f"{name} at {width}: {scrolled} pixels too wide")
        if width < WIDEST:
            faults += [f"{name} at {width}: {fault}" for fault in page.evaluate(FIND_FAULTS)]
    return faults


def test_the_image_of_the_readme(chromium: Chromium, demo: RunningHatchway, web: str) -> None:
    alice = chromium.person(
        demo, "alice", color_scheme="dark", viewport={"width": 1200, "height": 700}
    )
    window = alice.opens(web)
    window.types("PS1='\\[\\e[1;36m\\]web\\[\\e[m\\]:\\w\\$ '; clear\n")
    window.until(
        lambda: window.text() == "web:/$" or window.text().startswith("web:"), "the prompt"
    )
    for command in (
        "ls --color",
        "echo '容器里的 shell 🚀'; stty size",
        "for n in 1 2 3 4 5 6 7; do printf '\\e[4%dm    \\e[m ' $n; done; echo",
    ):
        window.types(command + "\n")
        window.prompts()
    window.page.mouse.move(700, 400)
    RESULTS.mkdir(exist_ok=True)
    target = IMAGE if os.environ.get("HATCHWAY_TEST_WRITE_IMAGES") == "1" else RESULTS / IMAGE.name
    target.parent.mkdir(exist_ok=True)
    window.page.screenshot(path=target, animations="disabled")
    assert target.stat().st_size <= MAX_IMAGE_BYTES
