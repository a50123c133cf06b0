"""config.waiting: connections that owe a request are few, and the longest waiting make room."""

from __future__ import annotations

import resource

import pytest

from config.waiting import Waiting, allow_descriptors


def test_one_too_many_cuts_the_one_that_has_waited_longest() -> None:
    cut: list[str] = []
    waiting = Waiting(2)

    for name in ("first", "second", "third"):
        waiting.add(name, lambda name=name: cut.append(name))  # type: ignore[misc]

    assert cut == ["first"]
    assert len(waiting) == 2


def test_who_has_asked_is_not_cut_and_who_waits_again_is_the_newest() -> None:
    cut: list[str] = []
    waiting = Waiting(2)

    for name in ("first", "second", "first", "third"):
        waiting.add(name, lambda name=name: cut.append(name))  # type: ignore[misc]
    assert cut == ["second"]
    waiting.discard("first")
    waiting.discard("nobody")
    waiting.add("fourth", lambda: cut.append("fourth"))

    assert cut == ["second"]


def test_as_many_files_may_be_open_as_the_system_lets_us(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 20_000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: given.append(limits))

    assert allow_descriptors() == 20_000
    assert given == [(20_000, 20_000)]


def test_a_limit_that_is_wide_enough_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (unlimited, unlimited))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("was set"))

    assert allow_descriptors() == 65_536
