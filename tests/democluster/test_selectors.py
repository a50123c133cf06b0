"""Selectors choose objects by labels and fields."""

from __future__ import annotations

import pytest

from democluster.selectors import field_selector, label_selector, matches_labels
from democluster.status import ApiError

WEB = {
    "metadata": {"name": "web", "labels": {"app": "web", "tier": "a"}},
    "status": {"phase": "Up"},
}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=a", True),
        ("app!=web", False),
        ("app in (web, api),tier notin (b)", True),
        ("app in (api)", False),
        ("tier", True),
        ("!tier", False),
        ("!other,other!=x,other notin (x)", True),
    ],
)
def test_labels(selector: str, matches: bool) -> None:
    assert label_selector(selector)(WEB) is matches


@pytest.mark.parametrize("selector", ["a===", "=b", "a in b", "(", "a b"])
def test_nonsense_is_a_bad_request(selector: str) -> None:
    with pytest.raises(ApiError) as raised:
        label_selector(selector)

    assert raised.value.code == 400


def test_fields() -> None:
    assert field_selector("metadata.name=web,status.phase!=Down", "Pod")(WEB)
    assert not field_selector("metadata.name=api", "Pod")(WEB)


def test_expressions_of_workloads() -> None:
    expression = {"key": "app", "operator": "In", "values": ["web"]}

    assert matches_labels({"matchLabels": {"tier": "a"}}, {"tier": "a"})
    assert matches_labels({"matchExpressions": [expression]}, {"app": "web"})
    assert not matches_labels({"matchExpressions": [expression]}, {"app": "api"})
