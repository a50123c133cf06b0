"""Exec and attach over a server that does what the test says."""

from __future__ import annotations

import asyncio
import time
from itertools import groupby
from operator import attrgetter

import pytest

from kube.exec import READ_AHEAD, KubeExecBackend
from protocol.execution import (
    ExecRequest,
    Exited,
    Lost,
    Success,
)
from protocol.refusal import StreamRefused
from protocol.remotecommand import V4, V5
from protocol.target import Target
from tests.kube.kubelet import Kubelet, Stream, answering, status_response
from tests.kube.streams import ALICE, TARGET, all_of, bytes_of, request, sees

is_stderr = attrgetter("stderr")


async def test_output_comes_in_order_and_the_exit_code_at_the_end(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.say(b"one ")
        await stream.say(b"two ")
        await stream.say(b"oops", channel=2)
        await stream.say(b"three")
        await stream.end(7)

    kubelet.script = script
    async with backend.open(request(tty=False)) as stream:
        outputs = await all_of(stream)

        pieces = [(stderr, bytes_of(list(run))) for stderr, run in groupby(outputs, is_stderr)]
        assert pieces == [(False, b"one two "), (True, b"oops"), (False, b"three")]
        assert stream.result() == Exited(7)
        assert stream.subprotocol == V5


async def test_the_question_names_the_container_and_every_word(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.end()

    kubelet.script = script
    async with backend.open(request("sh", "-c", "echo $1 & 日", "a b")) as stream:
        await all_of(stream)

    seen = kubelet.seen
    assert seen.path == "/api/v1/namespaces/shop/pods/web-1/exec"
    assert seen.query.getall("command") == ["sh", "-c", "echo $1 & 日", "a b"]
    assert seen.query["container"] == "web"
    assert seen.query["tty"] == seen.query["stdin"] == seen.query["stdout"] == "true"
    assert "stderr" not in seen.query
    assert "Origin" not in seen.headers
    assert seen.headers["Sec-WebSocket-Protocol"] == f"{V5},{V4}"


async def test_a_name_can_never_be_more_than_a_name(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    kubelet.answer = answering(lambda: status_response(404, "NotFound", 'pods "x" not found'))
    target = Target("it", "shop", "../../../secrets?x=", "web")

    with pytest.raises(StreamRefused):
        async with backend.open(ExecRequest(target, ALICE, ("sh",))):
            pass

    raw = kubelet.seen.raw_path.partition("?")[0]
    assert raw == "/api/v1/namespaces/shop/pods/..%2F..%2F..%2Fsecrets%3Fx%3D/exec"


async def test_attach_sends_no_command_and_its_success_is_unconfirmed(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.end()

    kubelet.script = script
    kubelet.subprotocols = (V4,)
    async with backend.open(ExecRequest(TARGET, ALICE, None, stdin=False)) as stream:
        await all_of(stream)

        assert stream.result() == Success(confirmed=False)
    assert kubelet.seen.path.endswith("/attach")
    assert "command" not in kubelet.seen.query
    assert "stdin" not in kubelet.seen.query


async def test_success_is_confirmed_on_v4(kubelet: Kubelet, backend: KubeExecBackend) -> None:
    async def script(stream: Stream) -> None:
        await stream.end()

    kubelet.script = script
    kubelet.subprotocols = (V4,)
    async with backend.open(request()) as stream:
        await all_of(stream)

        assert stream.subprotocol == V4
        assert stream.result() == Success(confirmed=True)


async def test_a_connection_that_breaks_is_lost_whatever_came_before(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.say("half a 日".encode()[:-1])
        await asyncio.sleep(0.05)
        stream.cut()

    kubelet.script = script
    async with backend.open(request()) as stream:
        outputs = await all_of(stream)

        assert bytes_of(outputs) == "half a 日".encode()[:-1]
        assert isinstance(stream.result(), Lost)


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_close_without_a_status_is_lost_with_any_code(
    kubelet: Kubelet, backend: KubeExecBackend, code: int
) -> None:
    async def script(stream: Stream) -> None:
        await stream.say(b"bye")
        await stream.socket.close(code=code)

    kubelet.script = script
    async with backend.open(request()) as stream:
        await all_of(stream)

        assert isinstance(stream.result(), Lost)


@pytest.mark.parametrize("frame", [b"\x03garbage", b"\x09x", b'\x03{"status":"Perhaps"}'])
async def test_garbage_is_lost_and_never_a_success(
    kubelet: Kubelet, backend: KubeExecBackend, frame: bytes
) -> None:
    async def script(stream: Stream) -> None:
        await stream.raw(frame)
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        await all_of(stream)

        assert isinstance(stream.result(), Lost)


async def test_a_text_message_is_lost(kubelet: Kubelet, backend: KubeExecBackend) -> None:
    async def script(stream: Stream) -> None:
        await stream.socket.send_str("hello")
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        await all_of(stream)

        assert isinstance(stream.result(), Lost)


async def test_output_behind_the_status_is_not_lost(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.raw(b'\x03{"status":"Success"}')
        await stream.say(b"late")
        await stream.socket.close()

    kubelet.script = script
    async with backend.open(request()) as stream:
        assert bytes_of(await all_of(stream)) == b"late"
        assert stream.result() == Success(confirmed=False)


async def test_a_server_that_does_not_close_after_its_status_ends_the_stream_all_the_same(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.raw(b'\x03{"status":"Success"}')
        await stream.hear()

    kubelet.script = script
    async with backend.open(request()) as stream:
        began = time.monotonic()
        await all_of(stream)

        assert stream.result() == Success(confirmed=False)
        assert time.monotonic() - began < 3


async def test_many_small_frames_become_few_outputs(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        for number in range(1000):
            await stream.say(b"%04d" % number * 256)
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        outputs = await all_of(stream)

    assert bytes_of(outputs) == b"".join(b"%04d" % number * 256 for number in range(1000))
    assert len(outputs) < 300
    assert all(len(output.data) <= READ_AHEAD for output in outputs)


async def test_a_giant_frame_is_cut_into_pieces(kubelet: Kubelet, backend: KubeExecBackend) -> None:
    async def script(stream: Stream) -> None:
        await stream.say(bytes(range(256)) * 4096)
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        outputs = await all_of(stream)

    assert bytes_of(outputs) == bytes(range(256)) * 4096
    assert all(len(output.data) <= READ_AHEAD for output in outputs)


async def test_not_receiving_slows_the_process_down(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    said = 0

    async def script(stream: Stream) -> None:
        nonlocal said
        while said < 64 << 20:
            await stream.say(b"x" * 32768)
            said += 32768
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        before = -1
        while said != before or said == 0:
            before = said
            await asyncio.sleep(0.2)

        assert said < 16 << 20
        total = sum(len(output.data) for output in await all_of(stream))
        assert total == 64 << 20


async def test_cancelling_receive_loses_nothing(kubelet: Kubelet, backend: KubeExecBackend) -> None:
    async def script(stream: Stream) -> None:
        for number in range(50):
            await stream.say(b"%02d" % number)
            await asyncio.sleep(0.002)
        await stream.end()

    kubelet.script = script
    got = bytearray()
    async with backend.open(request()) as stream:
        while True:
            try:
                async with asyncio.timeout(0.001):
                    output = await stream.receive()
            except TimeoutError:
                continue
            if output is None:
                break
            got += output.data

    assert bytes(got) == b"".join(b"%02d" % number for number in range(50))


async def test_leaving_closes_within_two_seconds_even_under_a_flood(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    over = asyncio.Event()

    async def script(stream: Stream) -> None:
        try:
            while True:
                await stream.say(b"y\n" * 4096)
        finally:
            over.set()

    kubelet.script = script
    async with backend.open(request()) as stream:
        await stream.receive()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    async with asyncio.timeout(5):
        await over.wait()


async def test_an_error_in_the_body_comes_out_as_itself(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.hear()

    kubelet.script = script
    with pytest.raises(ZeroDivisionError):
        async with backend.open(request()):
            _ = 1 / 0


async def test_cancelling_the_body_leaves_nothing_behind(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    opened = asyncio.Event()
    closed = asyncio.Event()

    async def script(stream: Stream) -> None:
        while await stream.hear() is not None:
            pass
        closed.set()

    async def use() -> None:
        async with backend.open(request()) as stream:
            opened.set()
            await stream.receive()

    kubelet.script = script
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(use())
        async with asyncio.timeout(5):
            await opened.wait()
        task.cancel()
    assert task.cancelled()
    async with asyncio.timeout(5):
        await closed.wait()


async def test_run_returns_the_output_and_the_result(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        assert await stream.hear() == b"\x00question"
        await stream.say(b"answer")
        await stream.say(b"noise", channel=2)
        await stream.end(4)

    kubelet.script = script

    assert await backend.run(request("ask", tty=False), stdin=b"question") == (
        b"answer",
        Exited(4),
    )


async def test_run_ends_commands_that_take_too_long_or_say_too_much(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.say(b"x" * 1000)
        await stream.hear()

    kubelet.script = script

    output, slow = await backend.run(request(tty=False), seconds=0.2)
    assert output == b"x" * 1000
    assert isinstance(slow, Lost)
    output, long = await backend.run(request(tty=False), max_output=100)
    assert output == b"x" * 100
    assert isinstance(long, Lost)


async def test_small_pieces_of_a_flood_are_received_together(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    lines = 400

    async def script(stream: Stream) -> None:
        await stream.say(b"x" * READ_AHEAD)
        for _ in range(lines):
            await stream.say(b"y" * 100)
            await asyncio.sleep(0)  # the other side may run; a real process writes line by line
        await stream.end()

    kubelet.script = script
    async with backend.open(request()) as stream:
        outputs = await all_of(stream)

    assert bytes_of(outputs) == b"x" * READ_AHEAD + b"y" * 100 * lines
    assert len(outputs) < lines / 4


async def test_what_comes_alone_after_a_flood_is_not_kept_back(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    heard = asyncio.Event()

    async def script(stream: Stream) -> None:
        for _ in range(8):
            await stream.say(b"x" * READ_AHEAD)
        await stream.say(b"$")
        await heard.wait()
        await stream.say(b"!")
        await stream.hear()

    kubelet.script = script
    async with backend.open(request()) as stream:
        seen = await sees(stream, b"$")
        heard.set()
        seen += await sees(stream, b"!")

    assert len(seen) == 8 * READ_AHEAD + 2
