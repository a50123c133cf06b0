"""What a session leaves in a container is ended, on a real cluster."""

from __future__ import annotations

from uuid import uuid4

import pytest

from kube.clusters import Clusters
from kube.exec import KubeExecBackend
from kube.processes import ContainerGone, NotGuaranteed, ProcessesEnded, ProcessReaper
from protocol.execution import (
    ExecRequest,
)
from protocol.size import Size
from protocol.target import Target
from tests.kube.streams import ALICE, sees, target_in

pytestmark = pytest.mark.cluster

STARTERS = {
    "a job": "sleep 4001 &",
    "nohup": "nohup sleep 4002 >/dev/null 2>&1 &",
    "setsid": "setsid sleep 4003 &",
    "deaf to signals": "(trap '' HUP TERM; for n in 1 2 3 4 5 6; do sleep 9; done) &",
    "blocked on its terminal": "yes",
}


@pytest.mark.parametrize("container", ["main", "side"])
@pytest.mark.parametrize("tty", [True, False])
async def test_everything_that_a_session_started_is_ended(
    real: Clusters, container: str, tty: bool
) -> None:
    target = target_in(real, "default", "web", container)
    backend = KubeExecBackend(real)
    facts = await backend.inspect(target, ALICE)
    marker = f"HATCHWAY_SESSION={uuid4().hex}"
    request = ExecRequest(target, ALICE, ("env", marker, "sh"), tty=tty, size=Size(80, 24))
    async with backend.open(request) as stream:
        await stream.send_stdin("\n".join(STARTERS.values()).encode() + b"\n")
        await sees(stream, b"y\r\ny\r\n" if tty else b"y\ny\n")

    report = await ProcessReaper(backend).end_marked(
        target, ALICE, marker, pod_uid=facts.uid, container_id=facts.container_id
    )

    assert isinstance(report, ProcessesEnded)
    assert report.found >= 5
    assert report.left == 0
    again = await ProcessReaper(backend).end_marked(target, ALICE, marker, pod_uid=facts.uid)
    assert isinstance(again, ProcessesEnded)
    assert (again.found, again.left) == (0, 0)
    after = await backend.inspect(target, ALICE)
    assert after.container_id == facts.container_id


async def test_the_session_scan_takes_what_dropped_its_environment(
    real: Clusters, web: Target
) -> None:
    backend = KubeExecBackend(real)
    facts = await backend.inspect(web, ALICE)
    marker = f"HATCHWAY_SESSION={uuid4().hex}"
    request = ExecRequest(web, ALICE, ("env", marker, "sh", "-c", "echo pid $$; exec env -i sh"))
    async with backend.open(request) as stream:
        words = await sees(stream, b"\n")
        pid = int(words.split()[1])

    report = await ProcessReaper(backend).end_marked(
        web, ALICE, marker, pod_uid=facts.uid, session_id=pid
    )

    assert isinstance(report, ProcessesEnded)
    assert (report.found, report.left) == (1, 0)


async def test_a_container_without_a_shell_or_another_container_cannot_be_searched(
    real: Clusters, web: Target
) -> None:
    backend = KubeExecBackend(real)
    reaper = ProcessReaper(backend)
    noshell = target_in(real, "default", "noshell")
    marker = f"HATCHWAY_SESSION={uuid4().hex}"
    facts = await backend.inspect(noshell, ALICE)

    report = await reaper.end_marked(noshell, ALICE, marker, pod_uid=facts.uid)
    assert isinstance(report, NotGuaranteed)
    assert await reaper.end_marked(web, ALICE, marker, pod_uid="another") == ContainerGone()
    gone = target_in(real, "default", "nobody")
    assert await reaper.end_marked(gone, ALICE, marker, pod_uid="x") == ContainerGone()
    with pytest.raises(ValueError, match="marker"):
        await reaper.end_marked(web, ALICE, "A=1", pod_uid=facts.uid)
