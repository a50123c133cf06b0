"""access.patterns: shell-style names."""

from __future__ import annotations

import pytest

from access.patterns import InvalidPattern, check_patterns, matches


@pytest.mark.parametrize(
    ("patterns", "name", "matched"),
    [
        ("*", "anything", True),
        ("shop", "shop", True),
        ("shop", "shop-a", False),
        ("shop-*", "shop-a", True),
        ("shop-*", "my-shop-a", False),
        ("shop, team-?", "team-a", True),
        ("team-[ab]", "team-c", False),
        ("team-[!ab]", "team-c", True),
        ("", "shop", False),
        ("", "", False),
        ("sh.p", "shop", False),
        ("shop", "shop\n", False),
    ],
)
def test_a_name_must_match_one_pattern_as_a_whole(patterns: str, name: str, matched: bool) -> None:
    assert matches(patterns, name) is matched


@pytest.mark.parametrize("text", ["", " , ", "Shop", "a b;c", "(a|b)", "../x", "é"])
def test_patterns_that_match_no_name_are_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        check_patterns(text)
