"""A flood is told from a person's typing."""

from __future__ import annotations

from kube.gather import FLOOD_BYTES, FLOOD_SECONDS, Flood


def flooded(at: float) -> Flood:
    flood = Flood()
    for number in range(16):
        flood.saw(FLOOD_BYTES // 16, at - 0.001 * (15 - number))
    return flood


def test_many_small_pieces_in_a_short_time_are_a_flood() -> None:
    assert flooded(at=100.0).goes_on(100.001)


def test_one_large_piece_is_a_flood_too() -> None:
    flood = Flood()

    flood.saw(FLOOD_BYTES, 100.0)

    assert flood.goes_on(100.001)


def test_echoes_of_keys_and_slow_output_are_none() -> None:
    typed, slow = Flood(), Flood()
    for number in range(10_000):
        typed.saw(1, number * 0.015)
        slow.saw(4096, number * 0.015)

    assert not typed.goes_on(150.0)
    assert not slow.goes_on(150.0)


def test_a_gap_ends_a_flood() -> None:
    flood = flooded(at=100.0)

    assert not flood.goes_on(100.0 + 2 * FLOOD_SECONDS)
    flood.saw(1, 101.0)
    assert not flood.goes_on(101.001)


def test_a_flood_that_becomes_slow_is_none_any_more() -> None:
    flood = flooded(at=100.0)

    for number in range(1, 200):
        flood.saw(512, 100.0 + number * 0.015)

    assert not flood.goes_on(100.0 + 200 * 0.015)
