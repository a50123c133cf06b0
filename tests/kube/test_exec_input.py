"""What goes towards the process: input, sizes, keepalives, and nothing after the end."""

from __future__ import annotations

import asyncio

import pytest

from kube import exec as exec_module
from kube.clusters import Clusters
from kube.exec import KubeExecBackend
from protocol.execution import (
    Lost,
)
from protocol.size import Size
from tests.kube.kubelet import Kubelet, Stream, eventually
from tests.kube.streams import all_of, request


async def test_the_size_comes_first_and_only_the_newest_of_many_waits(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    heard: list[bytes] = []

    async def script(stream: Stream) -> None:
        while (frame := await stream.hear()) is not None:
            heard.append(frame)

    kubelet.script = script
    async with backend.open(request(size=Size(120, 40))) as stream:
        await stream.send_stdin(b"a")
        for columns in range(10, 60):
            await stream.resize(Size(columns, 20))
        await eventually(lambda: b'\x04{"Width":59,"Height":20}' in heard)

    assert heard[0] == b'\x04{"Width":120,"Height":40}'
    assert heard[1] == b"\x00a"
    assert len(heard) == 3


async def test_input_goes_in_small_frames_and_in_order(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    got = bytearray()

    async def script(stream: Stream) -> None:
        while (frame := await stream.hear()) != b"\xff\x00":
            assert frame is not None
            assert frame[0] == 0
            assert len(frame) <= 32769
            got.extend(frame[1:])
        await stream.end()

    kubelet.script = script
    data = bytes(range(256)) * 1000
    async with backend.open(request(tty=False)) as stream:
        await stream.send_stdin(data)
        await stream.close_stdin()
        await all_of(stream)

    assert bytes(got) == data


async def test_input_that_nobody_reads_never_stops_the_output(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        for _ in range(100):
            await stream.say(b"y" * 32768)
        await stream.say(b"\nend")
        await asyncio.sleep(30)

    kubelet.script = script
    async with backend.open(request()) as stream, asyncio.TaskGroup() as tasks:
        typing = tasks.create_task(stream.send_stdin(b"z" * (32 << 20)))
        got = bytearray()
        async with asyncio.timeout(10):
            while not got.endswith(b"end"):
                output = await stream.receive()
                assert output is not None
                got = bytearray(got[-8:]) + output.data

        assert not typing.done()
        typing.cancel()


async def test_input_after_the_end_is_dropped(kubelet: Kubelet, backend: KubeExecBackend) -> None:
    async def script(stream: Stream) -> None:
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        await all_of(stream)
        async with asyncio.timeout(1):
            await stream.send_stdin(b"anybody there?")
            await stream.resize(Size(80, 24))


async def test_input_that_waits_returns_when_the_connection_breaks(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await asyncio.sleep(0.2)
        stream.cut()

    kubelet.script = script
    async with backend.open(request()) as stream:
        async with asyncio.timeout(5):
            await stream.send_stdin(b"z" * (32 << 20))
        assert await stream.receive() is None
        assert isinstance(stream.result(), Lost)


async def test_a_silent_stream_is_kept_awake_by_empty_messages(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    heard: list[bytes] = []

    async def script(stream: Stream) -> None:
        while (frame := await stream.hear()) is not None:
            heard.append(frame)

    kubelet.script = script
    backend = KubeExecBackend(clusters, keepalive=0.05)
    async with backend.open(request()):
        await eventually(lambda: len(heard) >= 3)

    assert set(heard) == {b""}


async def test_a_busy_stream_and_one_with_a_backlog_send_no_keepalive(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    heard: list[bytes] = []
    spoke = asyncio.Event()

    async def script(stream: Stream) -> None:
        for _ in range(20):
            await stream.say(b"tick")
            await asyncio.sleep(0.02)
        spoke.set()
        while (frame := await stream.hear()) is not None:
            heard.append(frame)

    kubelet.script = script
    backend = KubeExecBackend(clusters, keepalive=0.1)
    async with backend.open(request()) as stream:
        async with asyncio.timeout(5):
            await spoke.wait()
        await asyncio.sleep(0.4)  # four silent intervals, with output that nobody has taken
        assert heard == []
        await stream.receive()
        await eventually(lambda: heard == [b""])


async def test_nothing_is_sent_after_the_servers_last_word(
    kubelet: Kubelet, clusters: Clusters
) -> None:
    heard: list[bytes | None] = []

    async def script(stream: Stream) -> None:
        await stream.raw(b'\x03{"status":"Success"}')
        while heard[-1:] != [None]:
            heard.append(await stream.hear())

    kubelet.script = script
    backend = KubeExecBackend(clusters, keepalive=0.05)
    async with backend.open(request()) as stream:
        await all_of(stream)
        await stream.send_stdin(b"x")
    await eventually(lambda: bool(heard))

    assert heard == [None]


async def test_a_server_that_vanished_is_lost(
    kubelet: Kubelet, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(stream: Stream) -> None:
        while await stream.hear() is not None:
            pass

    kubelet.script = script
    backend = KubeExecBackend(clusters, keepalive=0.05)
    async with backend.open(request()) as stream:
        monkeypatch.setattr(exec_module, "is_silent", lambda opened: True)
        async with asyncio.timeout(5):
            assert await stream.receive() is None
        assert isinstance(stream.result(), Lost)
