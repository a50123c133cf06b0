"""Both servers, with raw sockets: thousands who say nothing, or a byte a second, keep nobody out.

What a server holds for them is bounded and given back when their time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from config.waiting import BODY_SECONDS, HEAD_SECONDS
from tests.config.servers import Person, Server, running

pytestmark = pytest.mark.slow

CONNECTIONS = 2000
AT_ONCE = 20
"""Connections that are opened at a time: fewer than wait in a server's backlog, where they would be
kept by the kernel and not by the server."""
SOON = 2.0
"""Seconds within which somebody with a request is served meanwhile."""
SLACK = 15.0
"""Seconds that two busy cores may be late in closing two thousand connections."""
KIB = 1024
MIB = 1024 * KIB
PER_CONNECTION = 64 * KIB
"""Bytes that the server may grow by for each connection that owes a request."""
HALF_A_HANDSHAKE = (
    b"GET /ws/targets HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: a="
)
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module", autouse=True)
def descriptors() -> None:
    """Let this process open as many sockets as the tests need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"needs {needed} open files: raise `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextlib.asynccontextmanager
async def connected(
    server: Server, count: int, first: bytes = b""
) -> AsyncIterator[list[Connection]]:
    """Open this many connections, send `first` on each, and drop what is left of them later."""
    found: list[Connection] = []
    try:
        for _ in range(count // AT_ONCE):
            opening = (asyncio.open_connection("127.0.0.1", server.port) for _ in range(AT_ONCE))
            found += await asyncio.gather(*opening)
        for _, writer in found:
            writer.write(first)
        yield found
    finally:
        for _, writer in found:
            writer.transport.abort()
        await asyncio.sleep(0)


async def closed(connection: Connection) -> bytes:
    """Return what the server had to say until it closed the connection."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while part := await connection[0].read(65536):
            said += part
    return said


async def dribble(connection: Connection, pieces: bytes, times: int) -> None:
    """Send the same few bytes about once a second until the server closes the connection."""
    reader, writer = connection
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            if writer.is_closing() or reader.at_eof():
                return
            writer.write(pieces)
            await writer.drain()
            await asyncio.sleep(0.7)


def serve_somebody(server: Server, person: Person) -> float:
    """Ask for a ticket, open a socket with it, and return how long that took."""
    begun = time.monotonic()
    status = server.handshake(
        "/ws/targets",
        [("Origin", server.origin.encode())],
        protocols=f"hatchway.targets.v1, hatchway.ticket.{person.ticket()}",
        cookie=person.cookie,
    )
    assert status == 101
    return time.monotonic() - begun


def memory(server: Server) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


def descriptors_of(server: Server) -> int:
    return int(psutil.Process(server.process.pid).num_fds())


@pytest.mark.parametrize(
    "first",
    [pytest.param(b"", id="silent"), pytest.param(HALF_A_HANDSHAKE, id="half a handshake")],
)
async def test_two_thousand_who_never_ask_keep_nobody_out_and_are_closed(
    server: Server, first: bytes
) -> None:
    person = await asyncio.to_thread(Person, server, "alice")
    await asyncio.to_thread(serve_somebody, server, person)
    before, open_before = memory(server), descriptors_of(server)

    async with connected(server, CONNECTIONS, first) as idle:
        begun = time.monotonic()
        took = await asyncio.to_thread(serve_somebody, server, person)
        grown = memory(server) - before
        async with asyncio.timeout(HEAD_SECONDS + SLACK):
            said = await asyncio.gather(*(closed(each) for each in idle))
        waited = time.monotonic() - begun
        left = descriptors_of(server)

    assert took < SOON
    assert grown < CONNECTIONS * PER_CONNECTION
    assert waited > HEAD_SECONDS / 2
    assert {answer.partition(b"\r\n")[0] for answer in said} <= {
        b"",
        b"HTTP/1.1 408 Request Timeout",
    }
    assert left <= open_before + 20


async def test_who_sends_a_little_now_and_then_has_no_more_time_than_others(
    server: Server,
) -> None:
    """A header a second, the next request of a connection, empty lines, a body."""
    post = b"POST /api/sign-in HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port
    kinds = {
        "headers": (HEAD, b"X-Note: a\r\n"),
        "bytes of a header": (HEAD + b"X-Note: ", b"a"),
        "the next request": (HEAD + b"\r\n" + HEAD, b"X-Note: a\r\n"),
        "empty lines": (HEAD + b"\r\n", b"\r\n"),
        "a body": (post + b"Content-Length: 5000\r\n\r\n", b"a"),
        "a body of a GET": (HEAD + b"Content-Length: 5000\r\n\r\n", b"a"),
    }
    longest = HEAD_SECONDS + BODY_SECONDS + SLACK
    ended: dict[str, float] = {}

    async def attack(kind: str) -> None:
        first, more = kinds[kind]
        async with connected(server, 100, first) as slow:
            begun = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                for each in slow:
                    tasks.create_task(dribble(each, more, int(longest / 0.7)))
                    tasks.create_task(closed(each))
            ended[kind] = time.monotonic() - begun

    person = await asyncio.to_thread(Person, server, "alice")
    async with asyncio.timeout(longest + SLACK), asyncio.TaskGroup() as attacks:
        for kind in kinds:
            attacks.create_task(attack(kind))
        await asyncio.sleep(1)
        took = await asyncio.to_thread(serve_somebody, server, person)

    assert took < SOON
    for kind, seconds in ended.items():
        assert seconds < (longest if "body" in kind else HEAD_SECONDS + SLACK), kind


async def test_a_head_without_an_end_is_refused_and_fills_no_memory(server: Server) -> None:
    before = memory(server)

    async with connected(server, 100, HEAD + b"X-Note: ") as endless:
        async with asyncio.timeout(30):
            for reader, writer in endless:
                with contextlib.suppress(ConnectionError):
                    for _ in range(160):
                        writer.write(b"a" * 64 * KIB)
                        await writer.drain()
                assert await closed((reader, writer)) is not None

    assert memory(server) - before < 20 * MIB


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
async def test_where_open_files_are_few_the_longest_waiting_make_room(
    kind: str, folder: Path
) -> None:
    with running(kind, folder, files=600) as server:
        person = await asyncio.to_thread(Person, server, "alice")
        async with connected(server, 1000):
            took = await asyncio.to_thread(serve_somebody, server, person)

            assert took < SOON
            assert descriptors_of(server) < 400
