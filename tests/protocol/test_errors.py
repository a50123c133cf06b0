"""Errors that a person may see carry a word, a sentence, data and one number for both wires."""

from __future__ import annotations

import pytest

from protocol.close import EXPLANATIONS, RETRY, CloseCode
from protocol.errors import PeerVisibleError
from protocol.execution import Refusal, Refused
from protocol.refusal import StreamRefused


def test_every_close_code_has_a_sentence() -> None:
    assert set(EXPLANATIONS) == set(CloseCode)
    assert all(sentence.endswith(".") for sentence in EXPLANATIONS.values())


def test_no_code_is_one_that_a_server_refuses_to_send() -> None:
    assert all(code == 1000 or 4000 <= code < 5000 for code in CloseCode)
    assert RETRY.issubset(CloseCode)


def test_an_error_says_the_same_on_both_wires() -> None:
    error = PeerVisibleError("Something failed.", limit=3)

    assert (str(error), error.data) == ("Something failed.", {"limit": 3})
    assert (error.close_code, error.status) == (4500, 500)


@pytest.mark.parametrize("kind", list(Refusal))
def test_every_refusal_of_a_cluster_has_a_code(kind: Refusal) -> None:
    refused = StreamRefused(Refused(kind, "No.", 403))

    assert refused.code == f"cluster_{kind.value}"
    assert refused.close_code in CloseCode
    because = {"code": f"cluster_{kind.value}", "data": {}}
    assert refused.data == {"kind": kind.value, "status": 403, "because": because}
