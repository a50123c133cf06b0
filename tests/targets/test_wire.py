"""targets.wire: what the live tree's clients may say and are told."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets import wire


def test_a_hello_names_clusters_once() -> None:
    frame = '{"type":"hello","clusters":["demo","prod","demo"],"more":1}'

    assert wire.decode(frame) == wire.Hello(("demo", "prod"))
    assert wire.decode('{"type":"hello","clusters":[]}') == wire.Hello(())


def test_a_ping_is_answered_with_its_number() -> None:
    assert wire.decode('{"type":"ping","t":17}') == wire.Ping(17)
    assert json.loads(wire.pong(17)) == {"type": "pong", "t": 17}


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00",
        "",
        "[]",
        "{",
        '{"type":"exec"}',
        '{"type":"hello"}',
        '{"type":"hello","clusters":"demo"}',
        '{"type":"hello","clusters":["../etc"]}',
        '{"type":"hello","clusters":[7]}',
        '{"type":"hello","clusters":[' + ",".join(['"a"'] * 101) + "]}",
        '{"type":"ping","t":true}',
        '{"type":"ping","t":NaN}',
        "[" * 10_000,
        "x" * 20_000,
    ],
)
def test_anything_else_breaks_the_protocol(frame: str | bytes) -> None:
    with pytest.raises(wire.BadMessage) as caught:
        wire.decode(frame)

    assert caught.value.close_code == 4400


@given(st.text(max_size=200) | st.binary(max_size=50))
def test_no_frame_does_anything_but_decode_or_be_refused(frame: str | bytes) -> None:
    with contextlib.suppress(wire.BadMessage):
        wire.decode(frame)


def test_many_pods_are_cut_into_messages_of_two_hundred() -> None:
    pods = [{"uid": str(number)} for number in range(450)]

    messages = [json.loads(text) for text in wire.pods("demo", pods, reset=True)]

    assert [len(message["pods"]) for message in messages] == [200, 200, 50]
    assert [message["reset"] for message in messages] == [True, False, False]


def test_a_reset_without_pods_is_said_and_a_change_of_nothing_is_not() -> None:
    assert len(list(wire.pods("demo", [], reset=True))) == 1
    assert list(wire.pods("demo", [], reset=False)) == []
