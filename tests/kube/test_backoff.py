"""Waits grow, end growing, and begin again."""

from __future__ import annotations

from kube.backoff import FIRST_SECONDS, LONGEST_SECONDS, Backoff


def test_each_wait_is_longer_than_half_the_last_bound_and_never_too_long() -> None:
    backoff = Backoff()
    bound = FIRST_SECONDS

    for _ in range(12):
        assert bound / 2 <= backoff.seconds() <= bound
        bound = min(bound * 2, LONGEST_SECONDS)
    backoff.reset()

    assert backoff.seconds() <= FIRST_SECONDS
