"""`hatchway.tty.v1`: exactly the bytes of docs/protocol.md, and nothing else is let in."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import tty
from protocol.close import CloseCode
from protocol.size import Size

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tty"
PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"

SERVER_EVENTS: dict[str, type[Any]] = {
    "welcome": tty.Welcome,
    "input": tty.InputDelivered,
    "resync": tty.Resync,
    "state": tty.StateChanged,
    "command": tty.CommandKnown,
    "size": tty.SizeChanged,
    "role": tty.RoleChanged,
    "input_enabled": tty.InputEnabled,
    "people": tty.People,
    "pong": tty.Pong,
    "notice": tty.Notice,
    "error": tty.Error,
    "ended": tty.Ended,
}


def golden(name: str, direction: str) -> list[Any]:
    """Return a fixture's examples as test parameters."""
    examples = json.loads((FIXTURES / name).read_text())
    return [
        pytest.param(example, id=example["name"])
        for example in examples
        if example["direction"] == direction
    ]


def meaning_of(event: tty.ClientEvent) -> dict[str, Any]:
    """Return what a fixture says about a client's event."""
    match event:
        case tty.Hello(client, size, offset):
            return {"type": "hello", "client": client, **asdict(size), "offset": offset}
        case tty.Resize(size):
            return {"type": "resize", **asdict(size)}
        case tty.Ack(offset):
            return {"type": "ack", "offset": offset}
        case tty.Ping(t):
            return {"type": "ping", "t": t}
        case tty.Take():
            return {"type": "take"}
        case tty.EnableInput():
            return {"type": "enable_input"}
        case tty.End():
            return {"type": "end"}
        case tty.Input(offset, data):
            return {"type": "input", "offset": offset, "hex": data.hex()}


@pytest.mark.parametrize("example", golden("binary.json", "client"))
def test_input_is_read_as_the_fixture_says(example: dict[str, Any]) -> None:
    event = tty.decode_binary(bytes.fromhex(example["hex"]))

    assert meaning_of(event) == example["meaning"]


@pytest.mark.parametrize("example", golden("binary.json", "server"))
def test_output_and_screens_are_written_as_the_fixture_says(example: dict[str, Any]) -> None:
    kinds: dict[str, type[tty.OutputFrame | tty.ScreenFrame]] = {
        "output": tty.OutputFrame,
        "screen": tty.ScreenFrame,
    }
    kind = kinds[example["meaning"]["type"]]

    frame = kind(example["meaning"]["offset"], bytes.fromhex(example["meaning"]["hex"]))

    assert frame.encode() == bytes.fromhex(example["hex"])


@pytest.mark.parametrize("example", golden("client.json", "client"))
def test_control_messages_are_read_as_the_fixture_says(example: dict[str, Any]) -> None:
    assert meaning_of(tty.decode_text(example["text"])) == example["meaning"]


@pytest.mark.parametrize("example", golden("server.json", "server"))
def test_control_messages_are_written_as_the_fixture_says(example: dict[str, Any]) -> None:
    facts = dict(example["meaning"])
    event = SERVER_EVENTS[facts.pop("type")](**facts)

    assert json.loads(event.encode()) == json.loads(example["text"])


@pytest.mark.parametrize("example", golden("binary-refused.json", "client"))
def test_broken_binary_frames_are_refused(example: dict[str, Any]) -> None:
    with pytest.raises(tty.BadFrame):
        tty.decode_binary(bytes.fromhex(example["hex"]))


@pytest.mark.parametrize("example", golden("text-refused.json", "client"))
def test_broken_control_messages_are_refused(example: dict[str, Any]) -> None:
    with pytest.raises(tty.BadFrame):
        tty.decode_text(example["text"])


def test_every_hex_example_of_the_page_is_what_the_code_says() -> None:
    lines = dict(
        re.findall(r"^(input|output|screen) .*?((?: [0-9a-f]{2})+)$", PAGE.read_text(), re.M)
    )

    assert tty.decode_binary(bytes.fromhex(lines["input"])) == tty.Input(0, b"ls\r")
    assert bytes.fromhex(lines["output"]) == tty.OutputFrame(258, "日".encode()).encode()
    assert bytes.fromhex(lines["screen"]) == tty.ScreenFrame(65536, b"\x1b[H$ ").encode()


def test_every_client_message_of_the_page_is_read() -> None:
    page = PAGE.read_text().split("## `hatchway.targets.v1`")[0]
    examples = re.findall(r"^\| `(\{\"type\":\"\w+\".*?\})` \|", page, re.M)
    kinds = {json.loads(each)["type"] for each in examples}

    assert kinds >= {"hello", "ack", "resize", "ping", "take", "enable_input", "end"}
    assert kinds >= set(SERVER_EVENTS)


def test_input_of_65536_bytes_is_the_most() -> None:
    header = b"\x00" + bytes(8)

    assert len(tty.decode_binary(header + bytes(65536)).data) == 65536
    with pytest.raises(tty.BadFrame) as refused:
        tty.decode_binary(header + bytes(65537))
    assert refused.value.data == {"limit": 65536}


HELLO = '"type":"hello","cols":80,"rows":24'
NUMBERS = ["true", "false", "null", '"1"', "[]", "{}", "1.0", "1.5", "NaN", "Infinity", "-1",
           "-Infinity", "1e3", "9007199254740992", "1" + "0" * 400]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_an_offset_is_a_whole_number_that_a_browser_can_hold(number: str) -> None:
    with pytest.raises(tty.BadFrame):
        tty.decode_text(f'{{"type":"ack","offset":{number}}}')
    if number != "null":
        with pytest.raises(tty.BadFrame):
            tty.decode_text(f'{{{HELLO},"client":"abcdefgh","offset":{number}}}')


@pytest.mark.parametrize("number", [*NUMBERS, "0", "1", "501"])
@pytest.mark.parametrize("name", ["cols", "rows"])
def test_a_size_is_two_whole_numbers_in_range(name: str, number: str) -> None:
    facts = {"cols": "80", "rows": "24", name: number}

    with pytest.raises(tty.BadFrame):
        tty.decode_text(f'{{"type":"resize","cols":{facts["cols"]},"rows":{facts["rows"]}}}')


@pytest.mark.parametrize("number", ["true", "null", '"1"', "[1]", "NaN", "Infinity", "1e999",
                                    "1" + "0" * 400])  # fmt: skip
def test_a_ping_carries_a_finite_number(number: str) -> None:
    with pytest.raises(tty.BadFrame):
        tty.decode_text(f'{{"type":"ping","t":{number}}}')


@pytest.mark.parametrize(
    "client",
    ["short", "x" * 65, "with space", "new\\nline", "abcdefgh\\n", "日本語日本語日本", "../../etc",
     "a;id;b;c", "$(id)$(id)", "\\u0000aaaaaaaa", "\\ud800aaaaaaaa"],
)  # fmt: skip
def test_a_client_name_is_plain(client: str) -> None:
    with pytest.raises(tty.BadFrame):
        tty.decode_text(f'{{{HELLO},"client":"{client}","offset":null}}')


@pytest.mark.parametrize(
    "text",
    ["", "null", "1", '"hello"', "[" * 4096, '{"type":' * 500, "{", "{'type':'end'}",
     '{"type":["end"]}', '{"type":{"end":1}}', '{"type":"END"}', '{"Type":"end"}',
     '{"type":"websocket.receive"}',
     '{"type":"hello"}', '{"type":"ack"}', '{"type":"resize"}', '{"type":"ping"}', "\x00",
     "\ufeff{}"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(tty.BadFrame) as refused:
        tty.decode_text(text)

    assert refused.value.close_code is CloseCode.BAD_FRAME
    assert refused.value.code == "bad_frame"


def test_a_control_message_of_4096_characters_is_the_longest() -> None:
    text = '{"type":"end","x":"%s"}'
    fits = text % ("x" * (4096 - len(text) + 2))

    assert tty.decode_text(fits) == tty.End()
    with pytest.raises(tty.BadFrame):
        tty.decode_text(fits + " ")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(frame: bytes) -> None:
    try:
        event = tty.decode_binary(frame)
    except tty.BadFrame:
        return
    assert frame == b"\x00" + event.offset.to_bytes(8, "big") + event.data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["client", "cols", "rows", "offset", "t", "type", "x"])
TYPES = st.sampled_from(["hello", "ack", "resize", "ping", "take", "enable_input", "end", "other"])


@given(st.text(max_size=300))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(tty.BadFrame):
        tty.decode_text(text)


@given(TYPES, st.dictionaries(KEYS, JSON, max_size=6))
def test_no_message_raises_anything_else(kind: str, body: dict[str, Any]) -> None:
    try:
        event = tty.decode_text(json.dumps({**body, "type": kind}))
    except tty.BadFrame:
        return
    assert meaning_of(event)["type"] == kind


@given(st.integers(0, 2**53 - 1), st.binary(min_size=1, max_size=100))
def test_any_input_survives_the_wire(offset: int, data: bytes) -> None:
    frame = b"\x00" + offset.to_bytes(8, "big") + data

    assert tty.decode_binary(frame) == tty.Input(offset, data)


def test_a_message_is_one_line_of_plain_json() -> None:
    text = tty.Error("bad", "Zeile\n日本", {"limit": 1}).encode()

    assert "\n" not in text
    assert text == '{"type":"error","code":"bad","message":"Zeile\\n日本","data":{"limit":1}}'


def test_a_size_is_forced_into_its_range_and_reads_as_columns_by_rows() -> None:
    assert Size(1, 1000).clamped() == Size(2, 300)
    assert Size(1000, 0).clamped() == Size(500, 2)
    assert str(Size(80, 24)) == "80×24"
