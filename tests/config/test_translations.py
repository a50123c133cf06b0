"""Everything that a person can be refused with is a sentence in every language of the frontend."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import get_default_password_validators

from access.revocation import Why
from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.execution import Refusal
from protocol.reason import SENTENCES, SHARED_PARAMETERS, Reason, ReasonCode
from terminal.session.ending import EndReason

LOCALES = Path(__file__).parents[2] / "frontend" / "src" / "locales"
LANGUAGES = ("en", "zh-hans")
TOLD_DIRECTLY = ("input_disabled", "no_stdin", "csrf", "internal", "conflict")
"""Codes that no exception carries."""

# Loading it brings every class of error that a person can meet.
import_module("config.routing")


def catalogue(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return found


def parameters(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def kinds_of(kind: type[PeerVisibleError]) -> Iterator[type[PeerVisibleError]]:
    for one in kind.__subclasses__():
        if not one.__module__.startswith("tests."):
            yield one
            yield from kinds_of(one)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_a_translation_that_names_what_is_sent(
    language: str, code: ReasonCode
) -> None:
    texts = catalogue(language)

    text = texts["reason"].get(code.value) or texts["error"].get(code.value)

    assert text, f"reason.{code.value} is missing in {language}"
    assert parameters(text) <= parameters(SENTENCES[code]) | set(SHARED_PARAMETERS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_of_a_reason_that_is_never_given(language: str) -> None:
    translated = set(catalogue(language)["reason"]) - {"ask"}

    assert translated <= {code.value for code in ReasonCode}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_a_translation(language: str) -> None:
    codes = {kind.code for kind in kinds_of(PeerVisibleError)} | set(TOLD_DIRECTLY)

    assert len(codes) > 15
    assert codes - set(catalogue(language)["error"]) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_close_and_every_end_has_a_translation(language: str) -> None:
    texts = catalogue(language)

    assert {f"close_{int(code)}" for code in CloseCode} - set(texts["error"]) == set()
    assert {reason.value for reason in EndReason} - set(texts["end"]) == set()


@pytest.mark.parametrize("kind", Refusal)
def test_every_refusal_of_a_cluster_is_a_reason(kind: Refusal) -> None:
    assert Reason.of_refusal(kind).code.value == f"cluster_{kind.value}"


@pytest.mark.parametrize("why", Why)
def test_everything_that_can_be_taken_away_is_a_reason(why: Why) -> None:
    assert ReasonCode(why.value) in SENTENCES


def test_every_reason_is_a_sentence_and_says_whom_to_ask() -> None:
    for code, template in SENTENCES.items():
        data: dict[str, str | int] = {name: f"<{name}>" for name in parameters(template)}
        sentence = str(Reason(code, {**data, "owner": "olga"}))

        assert all(str(value) in sentence for value in data.values())
        assert sentence.endswith(" Ask olga.")
    assert set(SENTENCES) == set(ReasonCode)


def test_every_password_validator_of_django_has_its_reason() -> None:
    codes = {
        "MinimumLengthValidator": "password_too_short",
        "CommonPasswordValidator": "password_too_common",
        "NumericPasswordValidator": "password_entirely_numeric",
        "UserAttributeSimilarityValidator": "password_too_similar",
    }

    for validator in get_default_password_validators():
        assert ReasonCode(codes[type(validator).__name__])
