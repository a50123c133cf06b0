"""Whoever is compared with is measured or named, and never costs the figure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.figures import Missing, Peer
from bench.kubectl import KubectlPeer
from bench.peer import RunningPeer
from bench.peers import EVERYBODY, compared
from bench.setting import Setting

TARGET = "real/default/web/main"


def setting(directory: Path, *, kubectl: str | None = None) -> Setting:
    """Return a machine on which a kubeconfig and perhaps a kubectl is there, and no ttyd."""
    kubeconfig = directory / "kubeconfig"
    kubeconfig.touch()
    return Setting(directory, kubeconfig, kubectl, None)


@asynccontextmanager
async def starts(place: Setting, target: str) -> AsyncIterator[RunningPeer]:
    """Start a peer."""
    yield KubectlPeer("kubectl", place.cluster(), target)


@asynccontextmanager
async def does_not_start(place: Setting, target: str) -> AsyncIterator[RunningPeer]:
    """Fail to start one."""
    raise Missing("it is not installed")
    yield


async def test_who_fails_is_named_and_the_others_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = iter([None, 5.0])

    async def measure(_: RunningPeer) -> float:
        if (value := next(turns)) is None:
            raise ConnectionError("it hung up")
        return value

    found = await compared(
        setting(tmp_path),
        TARGET,
        measure,
        {"one": starts, "two": does_not_start, "three": starts},
    )

    assert found.peers(float) == [Peer("three", 5.0)]
    assert found.note("best of 5") == (
        "best of 5; no one: ConnectionError: it hung up; no two: it is not installed"
    )
    told = capsys.readouterr().err
    assert "no one to compare with: ConnectionError: it hung up" in told
    assert "no two to compare with: it is not installed" in told


async def test_a_machine_without_kubectl_has_no_peers(tmp_path: Path) -> None:
    async def measure(_: RunningPeer) -> float:
        pytest.fail("there is nothing to measure")

    found = await compared(setting(tmp_path), TARGET, measure, EVERYBODY)

    assert found.lacking.keys() == EVERYBODY.keys() == {"kubectl exec", "terminado", "ttyd"}
    assert "HATCHWAY_TEST_KUBECTL" in found.lacking["terminado"]
    assert "HATCHWAY_TEST_TTYD" in found.lacking["ttyd"]


async def test_an_error_on_the_way_out_does_not_hide_that_the_run_was_told_to_end(
    tmp_path: Path,
) -> None:
    measuring = asyncio.Event()

    async def measure(_: RunningPeer) -> float:
        measuring.set()
        try:
            await asyncio.sleep(60)
        finally:
            raise ConnectionError("it had gone")

    async with asyncio.TaskGroup() as tasks:
        comparing = tasks.create_task(_outcome(tmp_path, measure))
        await measuring.wait()
        comparing.cancel()

    assert comparing.result() == "ConnectionError"


async def _outcome(directory: Path, measure: Callable[[RunningPeer], Awaitable[float]]) -> str:
    try:
        await compared(setting(directory), TARGET, measure, {"one": starts, "two": starts})
    except ConnectionError:
        return "ConnectionError"
    return "went on"
