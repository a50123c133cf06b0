"""The few statistics of the bench: ranks, never means, for shared cores are noisy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median


def percentile(samples: Iterable[float], percent: float) -> float:
    """Return the sample that `percent` (0 to 100) of all do not exceed (nearest rank).

    Raises ValueError without samples.
    """
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("there are no samples")
    return ordered[max(math.ceil(percent / 100 * len(ordered)) - 1, 0)]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of ours[i] ÷ theirs[i]: each pair was measured side by side."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of ours[i] - theirs[i]: each pair was measured side by side."""
    return median(one - other for one, other in zip(ours, theirs, strict=True))
