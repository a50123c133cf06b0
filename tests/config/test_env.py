"""config.env: values from the environment, wrong ones named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import env_bool, env_choice, env_int, env_list, env_map, env_secret


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False)]
)
def test_words_for_yes_and_no_are_understood(word: str, value: bool) -> None:
    assert env_bool("KEY", not value, environ={"KEY": word}) is value


def test_an_empty_value_is_the_default() -> None:
    assert env_bool("KEY", True, environ={"KEY": " "}) is True
    assert env_int("KEY", 7, environ={"KEY": ""}) == 7


@pytest.mark.parametrize("word", ["maybe", "True!", "2"])
def test_any_other_word_for_yes_and_no_is_refused_by_name(word: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        env_bool("KEY", False, environ={"KEY": word})


@pytest.mark.parametrize("word", ["seven", "1.5", "-1", "11"])
def test_numbers_out_of_range_are_refused_by_name(word: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        env_int("KEY", 5, least=0, most=10, environ={"KEY": word})


def test_a_list_is_cut_at_commas_and_may_be_empty_on_purpose() -> None:
    assert env_list("KEY", environ={"KEY": " a, b ,,c"}) == ("a", "b", "c")
    assert env_list("KEY", ("x",), environ={"KEY": ""}) == ()
    assert env_list("KEY", ("x",), environ={}) == ("x",)


def test_a_choice_outside_its_words_is_refused_by_name() -> None:
    assert env_choice("KEY", ("a", "b"), environ={}) == "a"
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        env_choice("KEY", ("a", "b"), environ={"KEY": "c"})


def test_pairs_are_read_and_broken_ones_refused() -> None:
    assert env_map("KEY", environ={"KEY": "prod=impersonate, demo=service-account"}) == {
        "prod": "impersonate",
        "demo": "service-account",
    }
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        env_map("KEY", environ={"KEY": "prod"})


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2\n")

    assert env_secret("KEY", environ={"KEY_FILE": str(path)}) == "hunter2"


def test_a_secret_in_two_places_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        env_secret("KEY", environ={"KEY": "hunter2", "KEY_FILE": str(tmp_path / "x")})

    assert "KEY_FILE" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_missing_or_empty_secret_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE"):
        env_secret("KEY", environ={"KEY_FILE": str(tmp_path / "missing")})
    (tmp_path / "empty").write_text("")
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE"):
        env_secret("KEY", environ={"KEY_FILE": str(tmp_path / "empty")})
