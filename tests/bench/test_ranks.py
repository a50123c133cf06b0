"""The bench's own arithmetic."""

from __future__ import annotations

import pytest

from bench.ranks import paired_difference, paired_ratio, percentile


def test_a_percentile_is_a_sample_that_was_measured() -> None:
    samples = [float(number) for number in range(100, 0, -1)]

    assert percentile(samples, 50) == 50
    assert percentile(samples, 99) == 99
    assert percentile(samples, 100) == 100
    assert percentile([7.0], 99) == 7


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_pairs_are_compared_before_the_median_is_taken() -> None:
    # The machine became three times slower in the middle; each pair saw the same machine.
    assert paired_ratio([9, 3, 3], [10, 10 / 3, 10 / 3]) == pytest.approx(0.9)
    assert paired_difference([1.5, 31.0, 2.5], [1.0, 30.0, 2.0]) == pytest.approx(0.5)


def test_half_a_pair_is_no_pair() -> None:
    with pytest.raises(ValueError):
        paired_ratio([1, 2], [1])
