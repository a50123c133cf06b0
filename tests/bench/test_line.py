"""The slow line is as slow as it says."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench.line import Bucket, slow_line


def test_bytes_pass_one_after_the_other() -> None:
    bucket = Bucket(8000)  # a byte a millisecond

    assert bucket.pass_at(100, now=5.0) == pytest.approx(5.1)
    assert bucket.pass_at(100, now=5.0) == pytest.approx(5.2)


def test_an_idle_line_saves_nothing_up() -> None:
    bucket = Bucket(8000)
    bucket.pass_at(100, now=0.0)

    assert bucket.pass_at(100, now=60.0) == pytest.approx(60.1)


async def test_a_line_carries_all_bytes_at_its_speed() -> None:
    sent = bytes(range(256)) * 40

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        writer.write(sent)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, slow_line(server.sockets[0].getsockname()[1], 400_000) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        writer.write(b"?")
        got = await reader.read(-1)
        seconds = time.monotonic() - began
        writer.close()
        await writer.wait_closed()

    assert got == b"?" + sent
    # 10 KB at 50 KB/s; never faster, however busy the machine is.
    assert seconds >= 0.2
