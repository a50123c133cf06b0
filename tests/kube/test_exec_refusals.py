"""Streams that are not opened, or cannot be: each kind, told in one sentence."""

from __future__ import annotations

import pytest
from aiohttp import web

from kube.exec import KubeExecBackend
from protocol.execution import (
    ExecRequest,
    Exited,
    Lost,
    Refusal,
    StartFailed,
    StartFailure,
)
from protocol.refusal import StreamRefused
from protocol.remotecommand import V4, V5
from protocol.size import Size
from protocol.target import Target
from tests.kube.kubelet import Kubelet, Stream, answering, eventually, status_response
from tests.kube.streams import ALICE, all_of, bytes_of, request


async def test_v5_that_fails_on_the_way_to_the_node_is_tried_once_on_v4(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    heard: list[bytes | None] = []

    async def script(stream: Stream) -> None:
        if stream.subprotocol == V5:
            await stream.fail("Internal error occurred: unable to upgrade connection: Bad Request")
            return
        heard.append(await stream.hear())
        heard.append(await stream.hear())
        await stream.say(b"on v4")
        await stream.end(3)

    kubelet.script = script
    async with backend.open(request(size=Size(100, 30))) as stream:
        await eventually(lambda: len(heard) == 1)
        await stream.send_stdin(b"hi")

        assert bytes_of(await all_of(stream)) == b"on v4"
        assert stream.subprotocol == V4
        assert stream.result() == Exited(3)
    assert heard == [b'\x04{"Width":100,"Height":30}', b"\x00hi"]
    assert len(kubelet.requests) == 2


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('unable to upgrade connection: container not found ("c2")', "container_not_running"),
        ('exec failed: exec: "bash": executable file not found in $PATH', "no_shell"),
    ],
)
async def test_other_failures_to_start_are_not_tried_again(
    kubelet: Kubelet, backend: KubeExecBackend, message: str, kind: str
) -> None:
    async def script(stream: Stream) -> None:
        await stream.fail(f"Internal error occurred: {message}")

    kubelet.script = script
    async with backend.open(request()) as stream:
        assert await all_of(stream) == []

        result = stream.result()
        assert isinstance(result, StartFailed)
        assert result.kind == StartFailure(kind)
    assert len(kubelet.requests) == 1


@pytest.mark.parametrize("is_typed", [True, False])
async def test_a_stream_that_has_begun_is_never_begun_again(
    kubelet: Kubelet, backend: KubeExecBackend, is_typed: bool
) -> None:
    async def script(stream: Stream) -> None:
        if is_typed:
            assert await stream.hear() == b"\x00rm it\r"
        else:
            await stream.say(b"$ ")
        await stream.fail("Internal error occurred: unable to upgrade connection: Bad Request")

    kubelet.script = script
    async with backend.open(request()) as stream:
        if is_typed:
            await stream.send_stdin(b"rm it\r")
        await all_of(stream)

        assert isinstance(stream.result(), Lost | StartFailed)
    assert len(kubelet.requests) == 1


REASONLESS = 'pods "web-1" is forbidden: '
RBAC = (
    'pods "web-1" is forbidden: User "alice" cannot get resource "pods/exec" in API group "" '
    'in the namespace "shop"'
)


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (lambda: status_response(403, "Forbidden", RBAC), "forbidden", "get on pods/exec"),
        (lambda: status_response(403, "Forbidden", REASONLESS), "forbidden", "create on pods/exec"),
        (lambda: status_response(403, "Forbidden", "webhook says no"), "forbidden", "webhook"),
        (lambda: web.Response(status=403), "subprotocol", "v5 nor v4"),
        (
            lambda: status_response(404, "NotFound", 'pods "web-1" not found'),
            "pod_not_found",
            "not exist",
        ),
        (
            lambda: status_response(400, "BadRequest", "container web is not valid for pod web-1"),
            "container_not_found",
            "no container",
        ),
        (
            lambda: status_response(
                400,
                "BadRequest",
                "a container name must be specified for pod p1, choose one of: [c1 c2]",
            ),
            "container_not_found",
            "no container",
        ),
        (
            lambda: status_response(400, "BadRequest", "pod web-1 does not have a host assigned"),
            "not_scheduled",
            "waits",
        ),
        (
            lambda: web.Response(status=500, text='container not found ("web")'),
            "container_not_running",
            "not running",
        ),
        (
            lambda: web.Response(status=500, text="container web not found in pod web-1_shop"),
            "container_not_running",
            "not running",
        ),
        (
            lambda: web.Response(
                status=500, text="error dialing backend: dial tcp 10.0.0.1:10250: refused"
            ),
            "node_unreachable",
            "node",
        ),
        (lambda: web.Response(status=503, text="starting"), "cluster_unreachable", "cannot answer"),
        (lambda: web.Response(status=302, headers={"Location": "/elsewhere"}), "other", "redirect"),
        (lambda: web.Response(status=200, text="hello"), "other", "refused"),
    ],
)
async def test_every_refusal_is_typed_and_says_what_happened(
    kubelet: Kubelet, backend: KubeExecBackend, response: object, kind: str, words: str
) -> None:
    kubelet.answer = answering(response)  # type: ignore[arg-type]

    with pytest.raises(StreamRefused) as caught:
        async with backend.open(request()):
            pass

    assert caught.value.refused.kind == Refusal(kind)
    assert words in caught.value.message
    assert len(kubelet.requests) == 1


async def test_wrong_credentials_are_told_as_such(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    kubelet.token = "another"

    with pytest.raises(StreamRefused) as caught:
        async with backend.open(request()):
            pass

    assert caught.value.refused.kind is Refusal.UNAUTHORIZED


async def test_a_server_that_chooses_no_subprotocol_is_refused(
    kubelet: Kubelet, backend: KubeExecBackend
) -> None:
    async def script(stream: Stream) -> None:
        await stream.hear()

    kubelet.script = script
    kubelet.subprotocols = ()

    with pytest.raises(StreamRefused) as caught:
        async with backend.open(request()):
            pass

    assert caught.value.refused.kind is Refusal.SUBPROTOCOL


async def test_an_unknown_cluster_is_refused(backend: KubeExecBackend) -> None:
    with pytest.raises(StreamRefused) as caught:
        async with backend.open(ExecRequest(Target("no", "a", "b", "c"), ALICE, ("sh",))):
            pass

    assert caught.value.refused.kind is Refusal.UNKNOWN_CLUSTER
