"""How a shell ends that its owner did not end, and what the owner is told."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.inside import Cluster
from tests.browser.person import Chromium, Person, Window
from tests.browser.yard import Yard
from tests.e2e.person import sign_in
from tests.e2e.running import PASSWORD, RunningHatchway

TOLD_SECONDS = 2.0
"""From an administrator's click to what the owner reads."""
GONE_SECONDS = 10.0
"""Five are promised until a log-out ends a shell; its processes may take a moment longer."""


def test_an_administrator_ends_a_shell_from_the_admin_site(
    chromium: Chromium, house: RunningHatchway, resident: Person, container: str, cluster: Cluster
) -> None:
    shell = resident.opens(container)
    session = shell.session()
    pid = shell.pid()
    assert "bash" in cluster.command_line_of(container, pid)

    desk = chromium.person(house, None).visits("/admin/").page
    desk.get_by_label("User name").fill("admin")
    desk.get_by_label("Password").fill(PASSWORD)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/admin/")
    desk.goto(f"{house.origin}/admin/terminal/terminalsession/{session}/change/")
    desk.get_by_label("Reason").fill("the node is drained")
    clicked = time.monotonic()
    desk.get_by_role("button", name="Terminate").click(no_wait_after=True)

    ended = shell.terminal.locator(".ended")
    expect(ended).to_contain_text("Ended: terminated by admin")
    assert time.monotonic() - clicked < TOLD_SECONDS
    expect(ended).to_contain_text("Reason: the node is drained")
    expect(shell.button("Start again")).to_be_visible()
    gone(shell, cluster, container, pid)
    record = sign_in(house, "alice").call("GET", f"/api/sessions/{session}")
    assert (record["state"], record["end_reason"]) == ("ended", "terminated")


def test_signing_out_in_one_window_kills_the_shell_of_another(
    chromium: Chromium, house: RunningHatchway, container: str, cluster: Cluster
) -> None:
    alice = chromium.person(house, "alice")
    shell = alice.opens(container)
    path = f"/api/sessions/{shell.session()}"
    shell.types("sleep 600 &\n")
    pids = shell.pid(), shell.answer("echo $!")
    assert "bash" in cluster.command_line_of(container, pids[0])
    assert "sleep 600" in cluster.command_line_of(container, pids[1])
    other = alice.visits("/").page
    other.get_by_role("button", name="Account:").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(other.get_by_label("Password")).to_be_visible()

    gone(shell, cluster, container, *pids)
    # The page says that the shell ended, and leads to sign-in as soon as it hears of that.
    ended = shell.page.get_by_text("access was withdrawn")
    expect(ended.or_(shell.page.get_by_label("Password")).first).to_be_visible()
    client = sign_in(house, "alice")
    shell.until(lambda: client.call("GET", path)["state"] == "ended", "the end", 10)
    assert client.call("GET", path)["end_reason"] == "revoked"


def gone(window: Window, cluster: Cluster, target: str, *pids: str) -> None:
    """Wait until the container has none of these processes any more."""
    window.until(
        lambda: not any(cluster.command_line_of(target, pid) for pid in pids),
        f"the end of {pids} in the container",
        GONE_SECONDS,
    )


def test_a_container_without_a_shell_says_so_and_gets_a_debug_container(
    chromium: Chromium, house: RunningHatchway, yard: Yard
) -> None:
    window = chromium.person(house, "admin").visits(f"/t/{yard.bare}")
    ended = window.terminal.locator(".ended")
    expect(ended).to_contain_text("This container has no shell.")
    ended.get_by_role("button", name="Start a debug container").click()
    window.button("Start and attach").click()
    # It was started to type in: nobody else's process is there to be protected.
    window.is_live()
    window.runs("echo inside-$((40 + 2))", "inside-42")


def test_attaching_is_read_only_until_input_is_enabled_and_leaving_signals_nothing(
    resident: Person, console: str
) -> None:
    window = resident.visits(f"/t/{console}?kind=attach")
    window.is_live()
    expect(window.terminal).to_contain_text("Nothing you type reaches it.")
    window.types("echo too-$((40 + 2))\n")
    enable_input(window)
    before = window.pid()
    assert "too-42" not in window.text()

    window.page.close()
    again = resident.visits(f"/t/{console}?kind=attach")
    again.is_live()
    enable_input(again)
    assert again.pid() == before


def enable_input(window: Window) -> None:
    """Confirm that the main process shall get what is typed."""
    window.button("Enable input…").click()
    window.button("Enable input").click()
    expect(window.terminal).not_to_contain_text("Nothing you type reaches it.")
