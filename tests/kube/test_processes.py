"""The script that ends processes, run by the shells of this machine.

Whole containers are searched in test_exec_on_cluster; here it is shown without a cluster that the
script finds and ends exactly what carries the marker.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from kube import processes
from kube.exec import KubeExecBackend
from kube.processes import ContainerGone, NotGuaranteed, ProcessesEnded, ProcessReaper
from protocol.execution import (
    ExecRequest,
    ExecResult,
    Exited,
    Lost,
    PodFacts,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
    Success,
)
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target

ALICE = Identity("alice")
TARGET = Target("it", "shop", "web-1", "web")
FACTS = PodFacts("uid-1", "node", "Running", "containerd://1", container_running=True)


class ThisMachine:
    """Runs the commands here, with one shell in the place of the container's.

    Without `programs` the shell finds sleep and nothing else, as in the barest container.
    """

    def __init__(self, *shell: str, programs: str | None = None) -> None:
        self.shell = shell
        self.environment = None if programs is None else {"PATH": programs}
        self.facts: PodFacts | StreamRefused = FACTS
        self.result: ExecResult | StreamRefused | None = None
        self.ran: list[str] = []

    async def inspect(self, _target: Target, _identity: Identity) -> PodFacts:
        if isinstance(self.facts, StreamRefused):
            raise self.facts
        return self.facts

    async def run(self, request: ExecRequest, *, seconds: float) -> tuple[bytes, ExecResult]:
        assert request.command is not None
        self.ran.append(request.command[0])
        if isinstance(self.result, StreamRefused):
            raise self.result
        if self.result is not None:
            return b"", self.result
        process = await asyncio.create_subprocess_exec(
            *self.shell,
            *request.command[1:],
            stdout=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        try:
            async with asyncio.timeout(seconds):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        code = process.returncode or 0
        return output, Exited(code) if code else Success(confirmed=True)


def refusal(kind: Refusal) -> StreamRefused:
    return StreamRefused(Refused(kind, "refused"))


async def end(machine: ThisMachine, marker: str, **more: object) -> object:
    reaper = ProcessReaper(cast("KubeExecBackend", machine))
    return await reaper.end_marked(TARGET, ALICE, marker, pod_uid="uid-1", **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has many more processes than a container, and may be busy."""
    monkeypatch.setattr(processes, "END_SECONDS", 120)


SHELLS = [["dash"], ["bash"], ["busybox", "sh"], ["sh"]]


@pytest.fixture(params=[pytest.param(shell, id=" ".join(shell)) for shell in SHELLS])
def machine(request: pytest.FixtureRequest) -> ThisMachine:
    found = shutil.which(request.param[0])
    if found is None:
        pytest.skip(f"needs {request.param[0]}")
    return ThisMachine(found, *request.param[1:])


@pytest.fixture
def bare_machine(machine: ThisMachine, tmp_path: Path) -> ThisMachine:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sleep").symlink_to(shutil.which("sleep") or "")
    # An applet of BusyBox would be found without a path.
    (programs / "grep").write_text("#!/bin/false")
    machine.environment = {"PATH": str(programs)}
    return machine


@pytest.fixture
def marker() -> str:
    return f"HATCHWAY_SESSION={uuid4().hex}"


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    other = f"HATCHWAY_SESSION={uuid4().hex}"
    with subprocess.Popen(["env", other, "sleep", "60"]) as process:
        yield process
        process.kill()


@contextmanager
def start(marker: str, script: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["env", "A=line one\nline two", marker, "sh", "-c", script],
            stdout=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


async def until_it_sleeps(process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(10):
        while not Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(b"sleep"):
            await asyncio.sleep(0.01)


async def test_everything_that_carries_the_marker_is_ended_and_nothing_else(
    machine: ThisMachine, marker: str, bystander: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    script = (
        "sleep 61 & nohup sleep 62 >/dev/null 2>&1 & setsid sleep 63 &"
        "(trap '' HUP TERM; for n in 1 2 3 4 5 6; do sleep 9; done) & echo ready; wait; sleep 64"
    )
    with start(marker, script, tmp_path / "log") as process:
        async with asyncio.timeout(10):
            while "ready" not in (tmp_path / "log").read_text():
                await asyncio.sleep(0.01)

        report = await end(machine, marker)

        assert isinstance(report, ProcessesEnded)
        assert report.found >= 5
        assert report.left == 0
        assert process.wait(5) != 0
    assert bystander.poll() is None


async def test_a_container_without_any_program_is_searched_too(
    bare_machine: ThisMachine, marker: str, tmp_path: Path
) -> None:
    with start(marker, "sleep 61 & exec sleep 62", tmp_path / "log") as process:
        await until_it_sleeps(process)

        report = await end(bare_machine, marker)

        assert isinstance(report, ProcessesEnded)
        assert (report.found, report.left) == (2, 0)
        process.wait(5)


async def test_a_stopped_process_is_ended_too(marker: str, tmp_path: Path) -> None:
    with start(marker, "exec sleep 60", tmp_path / "log") as process:
        await until_it_sleeps(process)
        os.kill(process.pid, signal.SIGSTOP)

        report = await end(ThisMachine("sh"), marker)

        assert isinstance(report, ProcessesEnded)
        assert report.left == 0
        process.wait(5)


async def test_the_session_scan_finds_what_dropped_its_environment(
    machine: ThisMachine, marker: str, tmp_path: Path
) -> None:
    with start(marker, "exec env -i sleep 60", tmp_path / "log") as process:
        await until_it_sleeps(process)
        without = await end(machine, marker)
        assert isinstance(without, ProcessesEnded)
        assert without.found == 0

        report = await end(machine, marker, session_id=process.pid)

        assert isinstance(report, ProcessesEnded)
        assert (report.found, report.left) == (1, 0)
        process.wait(5)


@pytest.mark.parametrize(
    "facts",
    [
        PodFacts("uid-2", "node", "Running", "containerd://1", container_running=True),
        PodFacts("uid-1", "node", "Running", "containerd://2", container_running=True),
        PodFacts("uid-1", "node", "Failed", "containerd://1", container_running=False),
        refusal(Refusal.POD_NOT_FOUND),
        refusal(Refusal.CONTAINER_NOT_FOUND),
    ],
)
async def test_another_container_is_never_searched(
    marker: str, facts: PodFacts | StreamRefused
) -> None:
    machine = ThisMachine("sh")
    machine.facts = facts

    assert await end(machine, marker, container_id="containerd://1") == ContainerGone()
    assert machine.ran == []


async def test_without_any_shell_nothing_is_promised(marker: str) -> None:
    machine = ThisMachine("sh")
    machine.result = StartFailed(StartFailure.NO_SHELL, "none")

    assert isinstance(await end(machine, marker), NotGuaranteed)
    assert machine.ran == ["sh", "/bin/sh", "/bin/bash", "/busybox/sh"]


async def test_a_search_that_breaks_promises_nothing(marker: str) -> None:
    machine = ThisMachine("sh")
    machine.result = Lost("cut")

    assert isinstance(await end(machine, marker), NotGuaranteed)
    assert machine.ran == ["sh"]


async def test_a_cluster_that_is_away_is_told_so_that_it_is_tried_again(marker: str) -> None:
    machine = ThisMachine("sh")
    machine.result = refusal(Refusal.CLUSTER_UNREACHABLE)

    with pytest.raises(StreamRefused):
        await end(machine, marker)
    machine.result = refusal(Refusal.CONTAINER_NOT_RUNNING)
    assert await end(machine, marker) == ContainerGone()


@pytest.mark.parametrize(
    "marker", ["", "=", "A=", "HATCHWAY=", "HATCHWAY=short", "PATH=/usr/bin:/bin:/sbin", "A=*" * 9]
)
async def test_a_marker_that_others_might_carry_is_refused(marker: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        await end(ThisMachine("sh"), marker)
