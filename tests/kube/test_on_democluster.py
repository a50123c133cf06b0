"""The Kubernetes layer against the demo cluster, which it must not be able to tell from another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from kube.clusters import Clusters
from kube.connection import IdentityMode
from kube.directory import ClusterDirectory, PodsChanged
from kube.exec import KubeExecBackend
from kube.processes import ProcessesEnded, ProcessReaper
from kube.reviews import AccessReviews, Allowed, Denied
from protocol.execution import ExecRequest, Exited, Refusal, StartFailed, StartFailure
from protocol.refusal import StreamRefused
from protocol.remotecommand import V5
from protocol.size import Size
from protocol.target import Target
from tests.democluster.running import RunningDemoCluster
from tests.democluster.running import democluster as democluster
from tests.kube.streams import ALICE, BOB

GREETER = Target("demo", "default", "greeter", "greeter")


@pytest.fixture
async def demo(democluster: RunningDemoCluster) -> AsyncIterator[Clusters]:
    async with Clusters(
        [democluster.kubeconfig], default_identity=IdentityMode.IMPERSONATE
    ) as known:
        yield known


async def test_a_shell_has_its_size_and_tells_its_exit_code(demo: Clusters) -> None:
    request = ExecRequest(GREETER, ALICE, ("sh",), size=Size(99, 33))
    seen = b""
    async with KubeExecBackend(demo).open(request) as stream, asyncio.timeout(10):
        await stream.send_stdin(b"stty size; printf '\\346\\227\\245\\n'; exit 7\n")
        while (output := await stream.receive()) is not None:
            seen += output.data

        assert stream.subprotocol == V5
        assert stream.result() == Exited(7)
    assert b"33 99\r\n" in seen
    assert "日".encode() in seen


async def test_a_missing_program_and_wrong_names_are_told(demo: Clusters) -> None:
    backend = KubeExecBackend(demo)

    _, result = await backend.run(ExecRequest(GREETER, ALICE, ("nope",), tty=False, stdin=False))
    assert isinstance(result, StartFailed)
    assert result.kind is StartFailure.NO_SHELL
    for target, kind in (
        (Target("demo", "default", "greeter", "nope"), Refusal.CONTAINER_NOT_FOUND),
        (Target("demo", "default", "nope", "greeter"), Refusal.POD_NOT_FOUND),
        (Target("demo", "vault", "ledger", "ledger"), Refusal.FORBIDDEN),
    ):
        with pytest.raises(StreamRefused) as caught:
            await backend.run(ExecRequest(target, ALICE, ("sh",), tty=False, stdin=False))
        assert caught.value.refused.kind is kind


async def test_people_see_and_may_what_their_roles_say(demo: Clusters) -> None:
    reviews = AccessReviews(demo)
    seen: dict[str, set[str]] = {}
    async with ClusterDirectory(demo, reviews) as directory, asyncio.timeout(20):
        for identity in (ALICE, BOB):
            async with directory.watch("demo", identity) as events:
                while not isinstance(event := await anext(events), PodsChanged):
                    pass
            seen[identity.user] = {pod.namespace for pod in event.pods}

    assert seen == {"alice": {"default", "shop"}, "bob": {"shop"}}
    assert await reviews.may_exec(GREETER, ALICE) == Allowed()
    assert isinstance(await reviews.may_exec(GREETER, BOB), Denied)


async def test_what_a_session_started_is_ended(demo: Clusters) -> None:
    backend = KubeExecBackend(demo)
    facts = await backend.inspect(GREETER, ALICE)
    marker = f"HATCHWAY_SESSION={uuid4().hex}"
    request = ExecRequest(GREETER, ALICE, ("env", marker, "sh"), size=Size(80, 24))
    async with backend.open(request) as stream, asyncio.timeout(10):
        await stream.send_stdin(b"nohup sleep 600 >/dev/null 2>&1 & echo rea''dy\n")
        seen = b""
        while b"ready" not in seen:
            output = await stream.receive()
            assert output is not None
            seen += output.data

    report = await ProcessReaper(backend).end_marked(
        GREETER, ALICE, marker, pod_uid=facts.uid, container_id=facts.container_id
    )

    assert isinstance(report, ProcessesEnded)
    assert report.found >= 1
    assert report.left == 0
