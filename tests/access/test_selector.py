"""access.selector: label selectors as kubectl writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.selector import InvalidSelector, parse_selector

WEB = {"app": "web", "tier": "front", "example.com/team": "a"}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier = front", True),
        ("app=api", False),
        ("app!=api", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("app in (api, web)", True),
        ("app in (api,worker)", False),
        ("app notin (api)", True),
        ("missing notin (api)", True),
        ("tier", True),
        ("missing", False),
        ("!missing", True),
        ("!tier", False),
        ("example.com/team=a,app in (web),!legacy", True),
        ("app=", False),
    ],
)
def test_a_selector_selects_what_kubectl_would(text: str, selected: bool) -> None:
    assert parse_selector(text).selects(WEB) is selected


@pytest.mark.parametrize(
    "text",
    [
        "app=web,",
        ",",
        "=web",
        "app=we b",
        "app in web",
        "app in (a",
        "app in (a))",
        "-app=web",
        "app=web;rm",
        "a/b/c=d",
        "app>3",
        "x" * 1001,
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InvalidSelector):
        parse_selector(text)


@given(st.text(alphabet="ab=!,() in-/.\n", max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        selector = parse_selector(text)
    except InvalidSelector:
        return
    assert selector.selects(WEB) in (True, False)
