"""Exec and attach against a real cluster with the sample workloads.

Needs HATCHWAY_TEST_KUBECONFIG of an administrator and the pods web, console, noshell (default),
api (shop) and safe (vault).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml

from kube.clusters import Clusters
from kube.connection import api_path
from kube.exec import KubeExecBackend
from protocol.execution import (
    ExecRequest,
    ExecResult,
    Exited,
    Lost,
    Refusal,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.remotecommand import V5
from protocol.size import Size
from protocol.target import Target
from tests.contract.client import size_line
from tests.kube.streams import ALICE, BOB, drain, sees, target_in

pytestmark = pytest.mark.cluster


async def ran(
    clusters: Clusters, target: Target, *command: str, tty: bool = False
) -> tuple[bytes, ExecResult]:
    request = ExecRequest(target, ALICE, command, tty=tty, stdin=False)
    async with KubeExecBackend(clusters).open(request) as stream:
        return await drain(stream)


async def test_exit_codes_come_through(real: Clusters, web: Target) -> None:
    output, result = await ran(real, web, "sh", "-c", "printf 'a\\377b'; exit 7")

    assert output == b"a\xffb"
    assert result == Exited(7)
    assert (await ran(real, web, "true"))[1] in (Success(True), Success(False))
    assert (await ran(real, web, "sh", "-c", "kill -9 $$"))[1] == Exited(137)


@pytest.mark.parametrize("program", ["nope", "/bin/nope", "/tmp"])
async def test_a_program_that_is_not_there_is_no_shell(
    real: Clusters, web: Target, program: str
) -> None:
    _, result = await ran(real, web, program)

    assert isinstance(result, StartFailed)
    assert result.kind is StartFailure.NO_SHELL
    assert program in result.message


async def test_a_container_without_a_shell_is_told(real: Clusters) -> None:
    _, result = await ran(real, target_in(real, "default", "noshell"), "sh")

    assert isinstance(result, StartFailed)
    assert result.kind is StartFailure.NO_SHELL


@pytest.mark.parametrize(
    ("pod", "container", "kind"),
    [
        ("web", "nope", Refusal.CONTAINER_NOT_FOUND),
        ("nope", "main", Refusal.POD_NOT_FOUND),
    ],
)
async def test_a_wrong_name_is_refused_with_its_kind(
    real: Clusters, pod: str, container: str, kind: Refusal
) -> None:
    target = target_in(real, "default", pod, container)

    with pytest.raises(StreamRefused) as caught:
        await ran(real, target, "true")
    assert caught.value.refused.kind is kind
    with pytest.raises(StreamRefused) as inspected:
        await KubeExecBackend(real).inspect(target, ALICE)
    assert inspected.value.refused.kind is kind


async def test_the_terminal_has_the_right_size_from_the_start_and_follows(
    real: Clusters, web: Target
) -> None:
    request = ExecRequest(web, ALICE, ("sh",), size=Size(133, 44))
    async with KubeExecBackend(real).open(request) as stream:
        assert stream.subprotocol == V5
        await stream.send_stdin(size_line(133, 44))
        await sees(stream, b"44 133\r\n")
        await stream.resize(Size(71, 19))
        await stream.send_stdin(size_line(71, 19) + b"exit 3\n")
        output, result = await drain(stream)

    assert b"19 71\r\n" in output
    assert result == Exited(3)


async def test_standard_input_ends_with_a_half_close(real: Clusters, web: Target) -> None:
    data = bytes(range(256)) * 4000
    request = ExecRequest(web, ALICE, ("wc", "-c"), tty=False)
    async with KubeExecBackend(real).open(request) as stream:
        await stream.send_stdin(data)
        await stream.close_stdin()
        output, result = await drain(stream)

    assert output.strip() == str(len(data)).encode()
    assert isinstance(result, Success)


async def test_a_slow_reader_slows_the_process_and_loses_nothing(
    real: Clusters, web: Target
) -> None:
    size = 48 << 20
    command = f"head -c {size} /dev/zero; read -r _; exit 5"
    request = ExecRequest(web, ALICE, ("sh", "-c", command), tty=False)
    async with KubeExecBackend(real).open(request) as stream:
        await asyncio.sleep(1)
        got = 0
        async with asyncio.timeout(60):
            while got < size:
                piece = await stream.receive()
                assert piece is not None
                got += len(piece.data)
        await stream.send_stdin(b"\n")
        rest, result = await drain(stream)

    assert (got, rest, result) == (size, b"", Exited(5))


async def test_ctrl_c_under_a_flood_comes_back_to_the_prompt(real: Clusters, web: Target) -> None:
    request = ExecRequest(web, ALICE, ("env", "PS1=READY>", "sh"), size=Size(80, 24))
    async with KubeExecBackend(real).open(request) as stream:
        await sees(stream, b"READY>")
        await stream.send_stdin(b"yes\n")
        seen = 0
        async with asyncio.timeout(20):
            while seen < 5 << 20:
                piece = await stream.receive()
                assert piece is not None
                seen += len(piece.data)
        began = time.monotonic()
        await stream.send_stdin(b"\x03")
        await sees(stream, b"READY>")
        seconds = time.monotonic() - began
        await stream.send_stdin(b"exit\n")
        await drain(stream)

    assert seconds < 3


async def test_a_silent_stream_stays_open_with_keepalives(real: Clusters, web: Target) -> None:
    request = ExecRequest(web, ALICE, ("sh", "-c", "read -r line; echo got $line"), tty=False)
    async with KubeExecBackend(real, keepalive=0.05).open(request) as stream:
        await asyncio.sleep(1)
        await stream.send_stdin(b"it\n")
        output, _ = await drain(stream)

    assert output == b"got it\n"


async def test_attach_joins_the_main_process_and_leaves_it_alone(real: Clusters) -> None:
    target = target_in(real, "default", "console")
    backend = KubeExecBackend(real)
    before = await backend.inspect(target, ALICE)
    assert before.container_tty
    assert before.container_stdin

    async with backend.open(ExecRequest(target, ALICE, None, size=Size(90, 25))) as stream:
        word = uuid4().hex
        # More than once: a real node passes input on before it listens to the output.
        line = f"for n in 1 2 3 4; do echo {word[:8]}''{word[8:]}; sleep 0.5; done\n"
        await stream.send_stdin(line.encode())
        await sees(stream, word.encode())

    after = await backend.inspect(target, ALICE)
    assert after.container_running
    assert after.container_id == before.container_id


class Cable:
    """A loopback TCP proxy that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @asynccontextmanager
    async def plugged(self) -> AsyncIterator[Cable]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            writers = list(self._writers)
            self.cut()
            for writer in writers:
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._upstream)
        self._writers |= {writer, far_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


@asynccontextmanager
async def through_a_cable(
    kubeconfig: Path, directory: Path
) -> AsyncIterator[tuple[Clusters, Cable]]:
    document = yaml.safe_load(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    parts = urlsplit(cluster["server"])
    assert parts.hostname
    async with Cable(parts.hostname, parts.port or 443).plugged() as cable:
        cluster["server"] = f"https://127.0.0.1:{cable.port}"
        cluster["tls-server-name"] = parts.hostname
        path = directory / "through-a-cable"
        path.write_text(json.dumps(document))
        async with Clusters([path]) as clusters:
            yield clusters, cable


@pytest.mark.parametrize("tty", [True, False])
async def test_a_cut_connection_is_lost_and_never_a_success(
    real_kubeconfig: Path, tmp_path: Path, tty: bool
) -> None:
    async with through_a_cable(real_kubeconfig, tmp_path) as (clusters, cable):
        request = ExecRequest(
            target_in(clusters, "default", "web"),
            ALICE,
            ("sh", "-c", "echo here; exec sleep 3"),
            tty=tty,
        )
        async with KubeExecBackend(clusters).open(request) as stream:
            await sees(stream, b"here")
            cable.cut()
            _, result = await drain(stream)

            assert isinstance(result, Lost)


async def test_an_api_server_that_is_away_is_unreachable_within_seconds(
    real_kubeconfig: Path, tmp_path: Path
) -> None:
    document = yaml.safe_load(real_kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "away"
    path.write_text(json.dumps(document))
    async with Clusters([path]) as clusters:
        began = time.monotonic()
        with pytest.raises(StreamRefused) as caught:
            await ran(clusters, target_in(clusters, "default", "web"), "true")

    assert caught.value.refused.kind is Refusal.CLUSTER_UNREACHABLE
    assert time.monotonic() - began < 5


async def test_a_certificate_for_another_name_is_not_accepted(
    real_kubeconfig: Path, tmp_path: Path
) -> None:
    document = yaml.safe_load(real_kubeconfig.read_text())
    document["clusters"][0]["cluster"]["tls-server-name"] = "somebody.else"
    path = tmp_path / "other-name"
    path.write_text(json.dumps(document))
    async with Clusters([path]) as clusters:
        with pytest.raises(StreamRefused) as caught:
            await ran(clusters, target_in(clusters, "default", "web"), "true")

    assert caught.value.refused.kind is Refusal.CLUSTER_UNREACHABLE
    assert "certificate" in caught.value.message


async def test_the_cluster_sees_the_person_on_rest_and_on_exec(
    real_as_people: Clusters, real_kubeconfig: Path
) -> None:
    backend = KubeExecBackend(real_as_people)
    web = target_in(real_as_people, "default", "web")
    safe = target_in(real_as_people, "vault", "safe")
    word = uuid4().hex

    request = ExecRequest(web, ALICE, ("echo", word), tty=False, stdin=False)
    assert (await backend.run(request))[0] == f"{word}\n".encode()
    assert (await backend.inspect(web, ALICE)).container_running
    for target, identity in ((safe, ALICE), (web, BOB)):
        with pytest.raises(StreamRefused) as refused:
            await backend.run(ExecRequest(target, identity, ("id",), tty=False, stdin=False))
        assert refused.value.refused.kind is Refusal.FORBIDDEN
        assert identity.user in refused.value.message
        with pytest.raises(StreamRefused) as inspected:
            await backend.inspect(target, identity)
        assert inspected.value.refused.kind is Refusal.FORBIDDEN

    audit = real_kubeconfig.parent / "log" / "audit.log"
    if audit.exists():
        events = [json.loads(line) for line in audit.read_text().splitlines() if word in line]
        assert events
        for event in events:
            assert event["user"]["username"] == "admin"
            assert event["impersonatedUser"]["username"] == "alice"
            assert "team-a" in event["impersonatedUser"]["groups"]


@pytest.mark.parametrize(
    "identity", [Identity("system:admin"), Identity("alice", ("system:masters",)), Identity("")]
)
async def test_nobody_can_act_as_a_system_user_or_as_hatchway_itself(
    real_as_people: Clusters, identity: Identity
) -> None:
    request = ExecRequest(target_in(real_as_people, "default", "web"), identity, ("id",))

    with pytest.raises(StreamRefused) as caught:
        await KubeExecBackend(real_as_people).run(request)
    assert caught.value.refused.kind is Refusal.FORBIDDEN


@asynccontextmanager
async def a_pod(clusters: Clusters, name: str, command: list[str]) -> AsyncIterator[Target]:
    """Make a pod of our own, wait until it runs, and delete it at the end."""
    target = target_in(clusters, "default", name)
    connection = clusters.connection(target.cluster)
    pods = api_path("api", "v1", "namespaces", "default", "pods")
    container = {
        "name": "main",
        "image": "docker.io/library/busybox:latest",
        "imagePullPolicy": "Never",
        "command": command,
    }
    body = {
        "metadata": {"name": name, "labels": {"hatchway-test": "yes"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    await connection.call("POST", pods, identity=None, body=body)
    try:
        await until(lambda: is_running(clusters, target))
        yield target
    finally:
        with contextlib.suppress(Exception):
            await connection.call("DELETE", f"{pods}/{name}", identity=None)


async def is_running(clusters: Clusters, target: Target) -> bool:
    return (await KubeExecBackend(clusters).inspect(target, ALICE)).container_running


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.1)


async def test_a_deleted_pod_ends_its_streams_and_refuses_new_ones(real: Clusters) -> None:
    backend = KubeExecBackend(real)
    name = f"hatchway-test-{uuid4().hex[:8]}"
    async with a_pod(real, name, ["sleep", "600"]) as target:
        request = ExecRequest(target, ALICE, ("sh",), size=Size(80, 24))
        async with backend.open(request) as stream:
            await real.connection(target.cluster).call(
                "DELETE",
                api_path("api", "v1", "namespaces", "default", "pods", name),
                identity=None,
            )
            _, result = await drain(stream)
            assert isinstance(result, Exited | Lost)

        async def is_refused() -> bool:
            try:
                await backend.run(request)
            except StreamRefused as error:
                return error.refused.kind in (
                    Refusal.POD_NOT_FOUND,
                    Refusal.CONTAINER_NOT_RUNNING,
                )
            return False

        await until(is_refused)
