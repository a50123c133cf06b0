"""How a shell ends that its owner did not end, and what the owner is told."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import Chromium, Person, Window
from tests.e2e.person import sign_in
from tests.e2e.running import PASSWORD, RunningHatchway
from tests.e2e.targets import first_target


def test_an_administrator_ends_a_shell_from_the_admin_site(
    chromium: Chromium, demo: RunningHatchway, alice: Person, web: str
) -> None:
    shell = alice.opens(web)
    session = shell.session()

    desk = chromium.person(demo, None).visits("/admin/").page
    desk.get_by_label("User name").fill("admin")
    desk.get_by_label("Password").fill(PASSWORD)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/admin/")
    desk.goto(f"{demo.origin}/admin/terminal/terminalsession/{session}/change/")
    desk.get_by_role("button", name="Terminate").click()

    ended = shell.terminal.locator(".ended")
    expect(ended).to_contain_text("terminated by an administrator")
    expect(shell.button("Start again")).to_be_visible()
    record = sign_in(demo, "alice").call("GET", f"/api/sessions/{session}")
    assert (record["state"], record["end_reason"]) == ("ended", "terminated")


def test_signing_out_in_one_window_kills_the_shell_of_another(
    chromium: Chromium, demo: RunningHatchway, web: str
) -> None:
    alice = chromium.person(demo, "alice")
    shell = alice.opens(web)
    path = f"/api/sessions/{shell.session()}"
    other = alice.visits("/").page
    other.get_by_role("button", name="Account:").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(other.get_by_label("Password")).to_be_visible()

    # The page says that the shell ended, and leads to sign-in as soon as it hears of that.
    ended = shell.page.get_by_text("access was withdrawn")
    expect(ended.or_(shell.page.get_by_label("Password")).first).to_be_visible()
    client = sign_in(demo, "alice")
    shell.until(lambda: client.call("GET", path)["state"] == "ended", "the end", 10)
    assert client.call("GET", path)["end_reason"] == "revoked"


def test_a_container_without_a_shell_says_so_and_gets_a_debug_container(
    chromium: Chromium, demo: RunningHatchway
) -> None:
    ledger = first_target(Path(demo.environment["HATCHWAY_KUBECONFIG"]), "demo", "vault", "ledger")
    window = chromium.person(demo, "admin").visits(f"/t/{ledger}")
    ended = window.terminal.locator(".ended")
    expect(ended).to_contain_text("This container has no shell.")
    ended.get_by_role("button", name="Start a debug container").click()
    window.button("Start and attach").click()
    window.is_live()
    enable_input(window)
    window.runs("echo inside-$((40 + 2))", "inside-42")


def test_attaching_is_read_only_until_input_is_enabled_and_leaving_signals_nothing(
    alice: Person, demo: RunningHatchway
) -> None:
    console = first_target(
        Path(demo.environment["HATCHWAY_KUBECONFIG"]), "demo", "default", "console"
    )
    window = alice.visits(f"/t/{console}?kind=attach")
    window.is_live()
    expect(window.terminal).to_contain_text("Nothing you type reaches it.")
    window.types("echo too-$((40 + 2))\n")
    enable_input(window)
    before = window.pid()
    assert "too-42" not in window.text()

    window.page.close()
    again = alice.visits(f"/t/{console}?kind=attach")
    again.is_live()
    enable_input(again)
    assert again.pid() == before


def enable_input(window: Window) -> None:
    """Confirm that the main process shall get what is typed."""
    window.button("Enable input…").click()
    window.button("Enable input").click()
    expect(window.terminal).not_to_contain_text("Nothing you type reaches it.")
