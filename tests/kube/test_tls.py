"""TLS connections to an API server."""

from __future__ import annotations

import ssl
import tracemalloc
from contextlib import suppress
from pathlib import Path

from kube.tls import RECORD_BYTES, with_short_reads
from tests.kube.tls import Authority

ASKED = 256 * 1024
"""What uvloop and asyncio ask for at once."""


class Pair:
    """Both ends of a TLS connection, without a network between them."""

    def __init__(self, directory: Path) -> None:
        authority = Authority()
        (directory / "server.pem").write_bytes(b"".join(authority.issue("k8s.test")))
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(directory / "server.pem")
        asking = with_short_reads(ssl.create_default_context(cadata=authority.pem.decode()))
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = serving.wrap_bio(there, back, server_side=True)
        self.client = asking.wrap_bio(back, there, server_hostname="k8s.test")
        for end in (self.client, self.server, self.client, self.server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()


def test_a_read_reserves_no_more_than_a_record_can_fill(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.server.write(b"x" * 4096)
    tracemalloc.start()
    try:
        assert pair.client.read(ASKED) == b"x" * 4096
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * RECORD_BYTES


def test_longer_messages_are_read_record_by_record(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    sent = bytes(range(256)) * 200
    pair.server.write(sent)
    read = bytearray()
    while len(read) < len(sent):
        read += pair.client.read(ASKED)
    assert read == sent


def test_a_read_into_a_buffer_fills_that(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.server.write(b"into this")
    buffer = bytearray(ASKED)
    pair.client.read(ASKED, buffer)
    assert buffer.startswith(b"into this\0")
