"""Sockets of streams: their options, and a peer that is there or has vanished.

The vanished peer is played by a descriptor whose numbers are the kernel's for such a one; a real
one needs a network that loses packets.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import cast

import aiohttp
import pytest

from kube.clusters import Clusters
from kube.tcp import STREAM_RECEIVE_BUFFER, close_socket, cut, gathering, is_silent, stream_socket
from protocol.remotecommand import V5
from tests.kube.kubelet import Kubelet, Stream, eventually


async def until_closed(stream: Stream) -> None:
    while await stream.hear() is not None:
        pass


async def opened(clusters: Clusters) -> aiohttp.ClientWebSocketResponse:
    connection = clusters.connection("it")
    return await connection.open_socket("/x", identity=None, query=(), subprotocols=(V5,))


def test_a_streams_socket_is_capped_and_kept_alive() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
    with stream_socket(address) as made:
        capped = made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

        # Linux doubles the value for its own book-keeping, and the system may allow less.
        assert capped <= 2 * STREAM_RECEIVE_BUFFER
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_a_peer_that_answers_is_not_silent(kubelet: Kubelet, clusters: Clusters) -> None:
    kubelet.script = until_closed
    stream = await opened(clusters)
    await stream.send_bytes(b"")

    assert not is_silent(stream)
    await close_socket(stream)
    assert not is_silent(stream)


@pytest.mark.parametrize(
    ("unacked", "milliseconds", "is_gone"),
    [(1, 25_000, True), (1, 5_000, False), (0, 600_000, False)],
)
async def test_silence_is_something_sent_without_an_acknowledgement(
    monkeypatch: pytest.MonkeyPatch, unacked: int, milliseconds: int, is_gone: bool
) -> None:
    numbers = [0] * 24
    numbers[4], numbers[12] = unacked, milliseconds

    class FromTheKernel(socket.socket):
        def getsockopt(self, *_asked: int) -> bytes:  # type: ignore[override]
            return struct.pack("=8B24I", *[0] * 8, *numbers)

    class Opened:
        def get_extra_info(self, _name: str) -> socket.socket:
            return made

    monkeypatch.setattr(socket, "socket", FromTheKernel)
    with socket.socket() as made:
        assert is_silent(cast("aiohttp.ClientWebSocketResponse", Opened())) is is_gone


async def test_a_cut_connection_ends_for_both_sides(kubelet: Kubelet, clusters: Clusters) -> None:
    ended = []

    async def script(stream: Stream) -> None:
        try:
            await until_closed(stream)
        finally:
            ended.append(True)

    kubelet.script = script
    stream = await opened(clusters)
    assert (await stream.receive()).data == b"\x01"

    cut(stream)

    assert (await stream.receive()).type is aiohttp.WSMsgType.CLOSED
    await eventually(lambda: bool(ended))
    await close_socket(stream)


async def test_closing_leaves_no_descriptor(kubelet: Kubelet, clusters: Clusters) -> None:
    kubelet.script = until_closed
    await close_socket(await opened(clusters))

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    for _ in range(20):
        await close_socket(await opened(clusters))
    await eventually(lambda: count() <= before)


async def test_while_bytes_gather_the_kernel_keeps_them_and_afterwards_it_does_not(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    kubelet.script = until_closed
    stream = await opened(clusters)

    def least() -> int:
        wanted: int = stream.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_RCVLOWAT
        )
        return wanted

    with gathering(stream, 4096, 60):
        assert least() == 4096
    assert least() == 1

    with gathering(stream, 4096, 0.001):
        await eventually(lambda: least() == 1)
    assert least() == 1

    await close_socket(stream)
    with gathering(stream, 4096, 60):
        pass
