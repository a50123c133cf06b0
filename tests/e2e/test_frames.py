"""Hostile frames under both servers: that socket closes, the session and the server stay."""

from __future__ import annotations

import resource
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.democluster.running import RunningDemoCluster
from tests.e2e.other_client import Hatchway
from tests.e2e.person import ask, sign_in
from tests.e2e.raw import MASK, RawSocket, frame, text
from tests.e2e.running import RunningHatchway, running_hatchway
from tests.e2e.targets import first_target

MIB = 1024 * 1024
IDLE = 2000
GROWTH = 20 * MIB
"""What a hostile client may make the server grow by."""


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(
    kind: str,
    demo_cluster: RunningDemoCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningHatchway]:
    directory: Path = tmp_path_factory.mktemp("frames")
    with running_hatchway(
        directory,
        demo_cluster.kubeconfig,
        server=kind,
        HATCHWAY_SESSIONS_PER_PERSON="100",
        HATCHWAY_SOCKETS_PER_PERSON="100",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def alice(server: RunningHatchway) -> Hatchway:
    return sign_in(server)


@pytest.fixture(scope="module")
def target(demo_cluster: RunningDemoCluster) -> str:
    return first_target(demo_cluster.kubeconfig, "demo", "shop")


@pytest.fixture
def hostile(server: RunningHatchway, alice: Hatchway, target: str) -> Iterator[RawSocket]:
    opened = RawSocket(server, alice, ask(alice, target))
    opened.hello()
    yield opened
    opened.close()


def _memory(server: RunningHatchway) -> int:
    return int(psutil.Process(server.pid).memory_info().rss)


def _is_live(alice: Hatchway, hostile: RawSocket) -> bool:
    session = hostile.texts[0]["session"]
    return bool(alice.call("GET", f"/api/sessions/{session}")["state"] != "ended")


def test_compression_is_not_accepted(hostile: RawSocket) -> None:
    assert "101" in hostile.head.splitlines()[0]
    assert "sec-websocket-extensions" not in hostile.head.lower()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(
            struct.pack(">BBQ", 0x82, 0xFF, 2**63 - 1) + MASK, 1009, id="a length of 2^63"
        ),
        pytest.param(frame(2, b"\0" * (128 * 1024 + 1)), 1009, id="more than a message may have"),
        pytest.param(frame(2, b"\0" * 9 + b"x", reserved=4), 1002, id="a compressed frame"),
        pytest.param(frame(3, b"x"), 1002, id="an unknown opcode"),
        pytest.param(frame(9, b"x" * 126), 1002, id="a ping that is too long"),
        pytest.param(frame(9, b"x", final=False), 1002, id="a fragmented ping"),
        pytest.param(frame(1, b"\xff\xfe"), 1007, id="text that is not UTF-8"),
        pytest.param(frame(0, b"x"), 1002, id="a continuation of nothing"),
        pytest.param(b"\x82\x0aunmasked!!", 1002, id="an unmasked frame"),
    ],
)
def test_a_broken_frame_closes_that_socket_alone(
    server: RunningHatchway, kind: str, alice: Hatchway, hostile: RawSocket, data: bytes, code: int
) -> None:
    before = _memory(server)

    hostile.sends(data)

    # Frames that are none are refused by the server's WebSocket library, before Hatchway sees
    # them. Daphne's answers by dropping the connection; it would go on reading otherwise.
    assert hostile.reads_to_the_end() == (code if kind == "uvicorn" else None)
    assert _is_live(alice, hostile)
    assert _memory(server) - before < GROWTH


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(2, b"\x01" + b"\0" * 8 + b"x"), id="output from a client"),
        pytest.param(frame(2, b"\0"), id="input without an offset"),
        pytest.param(frame(2, b"\0" * 9), id="input without a byte"),
        pytest.param(frame(2, b"\0" * 9 + b"x" * 65537), id="more input than a frame carries"),
        pytest.param(frame(2, b"\0" + b"\xff" * 8 + b"x"), id="an offset beyond 2^53"),
        pytest.param(frame(1, b"[]"), id="a list"),
        pytest.param(frame(1, b"{"), id="half an object"),
        pytest.param(frame(1, b"[" * 4000), id="deep nesting"),
        pytest.param(frame(1, b'{"type":"ack","offset":' + b"9" * 400 + b"}"), id="a huge number"),
        pytest.param(text({"type": "websocket.receive", "text": "id"}), id="a layer's message"),
        pytest.param(text({"type": "ack", "offset": True}), id="true as an offset"),
        pytest.param(text({"type": "resize", "cols": 0, "rows": 24}), id="no columns"),
        pytest.param(text({"type": "resize", "cols": 10**9, "rows": 24}), id="too many columns"),
        pytest.param(text({"type": "resize", "cols": "80", "rows": 24}), id="columns as text"),
        pytest.param(frame(1, b'{"type":"resize","cols":NaN,"rows":24}'), id="NaN columns"),
        pytest.param(text({"type": "ping", "t": "x" * 5000}), id="a long message"),
        pytest.param(
            text({"type": "hello", "client": "x", "cols": 80, "rows": 24}), id="hello twice"
        ),
    ],
)
def test_a_frame_that_the_protocol_forbids_closes_with_a_sentence(
    alice: Hatchway, hostile: RawSocket, data: bytes
) -> None:
    hostile.sends(data)

    assert hostile.reads_to_the_end() == 4400
    errors = [event for event in hostile.texts if event["type"] == "error"]
    assert errors[-1]["code"] == "bad_frame"
    assert errors[-1]["message"].endswith(".")
    assert _is_live(alice, hostile)


def test_a_flood_of_empty_fragments_does_not_fill_the_memory(
    server: RunningHatchway, hostile: RawSocket
) -> None:
    before = _memory(server)
    hostile.sends(frame(2, b"\0", final=False))
    piece = frame(0, b"", final=False) * 10_000

    for _ in range(100):
        if not hostile.sends(piece):
            break

    assert _memory(server) - before < GROWTH


def test_a_flood_of_resizes_reaches_the_shell_as_the_latest_size(
    server: RunningHatchway, alice: Hatchway, hostile: RawSocket
) -> None:
    before = _memory(server)
    for cols in range(20_000):
        hostile.sends(text({"type": "resize", "cols": 20 + cols % 400, "rows": 30}))
    hostile.sends(text({"type": "resize", "cols": 123, "rows": 45}))
    session = hostile.texts[0]["session"]

    while alice.call("GET", f"/api/sessions/{session}")["cols"] != 123:
        pass

    assert _is_live(alice, hostile)
    assert _memory(server) - before < GROWTH


def test_more_input_than_the_window_closes_with_4413(hostile: RawSocket) -> None:
    hostile.sends(frame(2, b"\0" * 9 + b"stty raw -echo; sleep 600\r"))
    offset, piece = 26, b"x" * 65000
    for _ in range(400):
        hostile.sends(frame(2, b"\0" + struct.pack(">Q", offset) + piece))
        offset += len(piece)
        # Who goes on sending to a server that has closed loses what it said last, in the kernel.
        hostile.reads_what_is_there()
        if hostile.closed_with is not None:
            break

    assert hostile.reads_to_the_end() == 4413
    assert hostile.texts[-1]["code"] == "input_overflow"


def test_two_thousand_idle_connections_keep_nobody_from_a_shell(
    server: RunningHatchway, alice: Hatchway, target: str
) -> None:
    """How they end is in tests/config/test_slow_clients.py."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE + 500:
        pytest.skip(f"needs {IDLE + 500} open files: raise `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < IDLE + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 500, hard))
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(IDLE)]
    begun = time.monotonic()
    try:
        opened = RawSocket(server, alice, ask(alice, target))
        opened.hello()
        assert time.monotonic() - begun < 2
        opened.close()
    finally:
        for each in idle:
            each.close()


def test_secrets_are_in_no_log(server: RunningHatchway, alice: Hatchway, target: str) -> None:
    ticket = ask(alice, target)
    opened = RawSocket(server, alice, ticket)
    opened.hello()
    opened.sends(frame(2, b"\0" * 9 + b"echo canary-in-the-shell\r"))
    opened.close()
    cookie = next(c.value for c in alice.jar if "session" in c.name)

    log = server.log.read_text()

    assert log
    for secret in (ticket["ticket"], cookie, server.environment["HATCHWAY_DEMO_PASSWORD"]):
        assert secret
        assert secret not in log
    assert "canary-in-the-shell" not in log
