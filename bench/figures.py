"""Figures, their budgets, and what a run of them is worth."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Verdict(IntEnum):
    """The exit code of a run."""

    MET = 0
    INCOMPLETE = 1
    """Something could not be measured: nobody may say that the budgets are met."""
    MISSED = 3


@dataclass(frozen=True, slots=True)
class Budget:
    """What a figure may be at most, or at least."""

    unit: str
    bound: float
    at_least: bool = False

    def allows(self, value: float) -> bool:
        """Return whether `value` keeps to it. NaN never does."""
        return value >= self.bound if self.at_least else value <= self.bound


BUDGETS = {
    "tty_throughput_ratio": Budget("ratio", 0.9, at_least=True),
    "echo_added_p50_ms": Budget("ms", 1),
    "echo_added_p99_ms": Budget("ms", 5),
    "echo_50_p99_ms": Budget("ms", 10),
    "ctrl_c_ms": Budget("ms", 250),
    "ctrl_c_slow_line_ms": Budget("ms", 600),
    "flood_growth_mib": Budget("MiB", 8),
    "echo_beside_flood_p99_ms": Budget("ms", 20),
    "idle_session_kib": Budget("KiB", 150),
    "first_prompt_s": Budget("s", 1),
    "leak_tasks": Budget("tasks", 0),
    "leak_fds": Budget("files", 0),
    "leak_mib": Budget("MiB", 5),
}
"""Every figure of the suite `terminal`, in the order in which docs/performance.md explains them."""


class Missing(Exception):
    """A figure cannot be measured here; the sentence names what the machine lacks."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The same figure of somebody else, in the same run."""

    name: str
    value: float


@dataclass
class Report:
    """Prints each figure as one JSON object on a line and remembers what the run is worth."""

    show: Callable[[str], None]
    expected: frozenset[str] = frozenset(BUDGETS)
    measured: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, figure: str, value: float, *, peers: Sequence[Peer] = (), note: str = "") -> None:
        """Print a figure and what its peers reached; the first of them stands out.

        A value that is no number counts as missing.
        """
        budget = BUDGETS[figure]
        if not math.isfinite(value):
            self.lack(figure, f"the measurement gave {value}")
            return
        self.measured[figure] = value
        self.show(
            json.dumps(
                {
                    "figure": figure,
                    "value": _rounded(value),
                    "unit": budget.unit,
                    "budget": budget.bound,
                    "peer": peers[0].name if peers else None,
                    "peer_value": _rounded(peers[0].value) if peers else None,
                    "ok": budget.allows(value),
                    "peers": {peer.name: _rounded(peer.value) for peer in peers},
                    **({"note": note} if note else {}),
                }
            )
        )

    def lack(self, figure: str, why: str) -> None:
        """Print that a figure could not be measured, and why."""
        budget = BUDGETS[figure]
        self.missing[figure] = why
        self.show(
            json.dumps(
                {
                    "figure": figure,
                    "value": None,
                    "unit": budget.unit,
                    "budget": budget.bound,
                    "peer": None,
                    "peer_value": None,
                    "ok": None,
                    "peers": {},
                    "note": f"not measured: {why}",
                }
            )
        )

    def verdict(self) -> Verdict:
        """Return what the run is worth: an expected figure without a value makes it incomplete."""
        if self.missing or not self.expected <= self.measured.keys():
            return Verdict.INCOMPLETE
        if all(BUDGETS[figure].allows(value) for figure, value in self.measured.items()):
            return Verdict.MET
        return Verdict.MISSED


def sentence_of(error: BaseException) -> str:
    """Say what went wrong, without the wrapping of task groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Missing):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _rounded(value: float) -> float:
    return round(value, 3 if abs(value) < 10 else 1)
