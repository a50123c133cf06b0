"""A target is four names that Kubernetes could have given, and nothing that a program obeys."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.close import CloseCode
from protocol.target import InvalidTarget, Target, check_cluster, check_namespace, check_pod

GOOD = ("demo", "shop", "web-5d9f.x7k", "web")

HOSTILE = [
    "; id", "$(id)", "`id`", "a|b", "a&&b", "a\nb", "a\rb", "a\x00b", "--", "--output=/x",
    "-oProxyCommand=id", "--to-command", "${IFS}", "'", '"', "a b", "..", "../etc", "a/b", "a\\b",
    "\\u0064emo", "dеmo", "DEMO", "", " ", "-a", "a-", ".a", "a.", "a%2fb", "a?b", "a#b",
    "web\n", "ａ", "日本", "a" * 64 + "!", "x" * 254, "a_b_", 1, None, True, b"demo", ["demo"],
]  # fmt: skip


def test_good_names_make_a_target_that_reads_as_a_path() -> None:
    target = Target.of(*GOOD)

    assert str(target) == "demo/shop/web-5d9f.x7k/web"
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize("part", range(4), ids=["cluster", "namespace", "pod", "container"])
@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_hostile_names_are_refused_in_every_part(part: int, name: object) -> None:
    parts: list[object] = list(GOOD)
    parts[part] = name

    with pytest.raises(InvalidTarget) as refused:
        Target.of(*parts)

    assert refused.value.data == {"part": ("cluster", "namespace", "pod", "container")[part]}
    assert refused.value.close_code is CloseCode.BAD_FRAME
    assert not name or not isinstance(name, str) or name not in str(refused.value) or len(name) < 3


@pytest.mark.parametrize("text", ["", "a/b/c", "a/b/c/d/e", "demo//web/web", "/demo/shop/web"])
def test_a_target_has_exactly_four_parts(text: str) -> None:
    with pytest.raises(InvalidTarget):
        Target.parse(text)


def test_names_end_where_kubernetes_ends_them() -> None:
    longest = Target.of("c" * 63, "n" * 63, "p" * 253, "c" * 63)
    assert len(longest.pod) == 253
    for part, length in enumerate([64, 64, 254, 64]):
        parts = ["a", "a", "a", "a"]
        parts[part] = "a" * length
        with pytest.raises(InvalidTarget):
            Target.of(*parts)


def test_one_part_alone_is_checked_alike() -> None:
    assert check_cluster("demo_1.x") == "demo_1.x"
    assert check_namespace("shop") == "shop"
    assert check_pod("web.0") == "web.0"
    for check in (check_cluster, check_namespace, check_pod):
        with pytest.raises(InvalidTarget):
            check("-x")


@given(st.text(max_size=300))
def test_whatever_is_accepted_is_plain(text: str) -> None:
    try:
        name = check_pod(text)
    except InvalidTarget:
        return
    assert name == text
    assert name.isascii()
    assert name[0].isalnum()


def test_a_long_name_is_refused_quickly() -> None:
    start = time.perf_counter()

    with pytest.raises(InvalidTarget):
        check_pod("a" * 252 + "!")

    assert time.perf_counter() - start < 0.5
