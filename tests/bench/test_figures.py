"""A run never says more than what it measured."""

from __future__ import annotations

import json

import pytest

from bench.figures import BUDGETS, Peer, Report, Verdict


@pytest.fixture
def lines() -> list[str]:
    """What a report has printed."""
    return []


def report(lines: list[str], *expected: str) -> Report:
    """Return a report that expects these figures."""
    return Report(show=lines.append, expected=frozenset(expected or BUDGETS))


def test_a_figure_is_one_json_object_on_a_line(lines: list[str]) -> None:
    peers = [Peer("kubectl exec", 2.5), Peer("terminado", 1234.56)]
    report(lines).add("ctrl_c_ms", 12.34567, peers=peers, note="of 5")

    (line,) = lines
    assert json.loads(line) == {
        "figure": "ctrl_c_ms",
        "value": 12.3,
        "unit": "ms",
        "budget": 250,
        "peer": "kubectl exec",
        "peer_value": 2.5,
        "ok": True,
        "peers": {"kubectl exec": 2.5, "terminado": 1234.6},
        "note": "of 5",
    }


def test_a_figure_that_nobody_else_was_measured_for_has_no_peer(lines: list[str]) -> None:
    report(lines).add("leak_tasks", 0)

    answer = json.loads(lines[0])
    assert (answer["peer"], answer["peer_value"], answer["peers"]) == (None, None, {})


def test_a_run_in_which_all_is_measured_and_within_budget_succeeds(lines: list[str]) -> None:
    run = report(lines, "leak_tasks", "tty_throughput_ratio")
    run.add("leak_tasks", 0)
    run.add("tty_throughput_ratio", 0.9)

    assert run.verdict() is Verdict.MET
    assert int(run.verdict()) == 0


@pytest.mark.parametrize(("figure", "value"), [("leak_tasks", 1), ("tty_throughput_ratio", 0.89)])
def test_a_missed_budget_has_an_exit_code_of_its_own(
    lines: list[str], figure: str, value: float
) -> None:
    run = report(lines, figure)
    run.add(figure, value)

    assert json.loads(lines[0])["ok"] is False
    assert run.verdict() is Verdict.MISSED
    assert int(run.verdict()) == 3


def test_what_could_not_be_measured_is_named_and_never_passes(lines: list[str]) -> None:
    run = report(lines, "ctrl_c_ms")
    run.lack("ctrl_c_ms", "no cluster")

    answer = json.loads(lines[0])
    assert answer["value"] is None
    assert answer["ok"] is None
    assert "no cluster" in answer["note"]
    assert run.verdict() is Verdict.INCOMPLETE
    assert int(run.verdict()) == 1


def test_a_figure_that_was_forgotten_makes_the_run_incomplete(lines: list[str]) -> None:
    run = report(lines, "ctrl_c_ms", "leak_fds")
    run.add("leak_fds", 0)

    assert run.verdict() is Verdict.INCOMPLETE


def test_missing_weighs_more_than_missed(lines: list[str]) -> None:
    run = report(lines, "ctrl_c_ms", "leak_fds")
    run.add("leak_fds", 3)
    run.lack("ctrl_c_ms", "no cluster")

    assert run.verdict() is Verdict.INCOMPLETE


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_no_measurement(lines: list[str], value: float) -> None:
    run = report(lines, "ctrl_c_ms")
    run.add("ctrl_c_ms", value)

    assert json.loads(lines[0])["value"] is None
    assert run.verdict() is Verdict.INCOMPLETE


def test_no_rounding_hides_a_missed_budget(lines: list[str]) -> None:
    run = report(lines, "ctrl_c_ms")
    run.add("ctrl_c_ms", 250.01)

    assert json.loads(lines[0])["ok"] is False
