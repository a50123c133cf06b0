"""Start the demo cluster as a program of its own and end it with everything that it started."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
"""How long the program may take to say that it is ready, on a busy machine."""

END_SECONDS = 10.0
READY = "democluster ready: "


@dataclass(frozen=True, slots=True)
class RunningDemoCluster:
    """A demo cluster that listens."""

    kubeconfig: Path
    """The administrator's kubeconfig; the context is `demo`."""
    directory: Path
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        """The process that runs it."""
        return self.process.pid

    def user_kubeconfig(self, name: str) -> Path:
        """Return the kubeconfig of `alice`, `bob` or `app`."""
        return self.kubeconfig.with_name(f"{self.kubeconfig.name}-{name}")


def start_democluster(directory: Path) -> RunningDemoCluster:
    """Start the program and return once it listens. Raises RuntimeError with what it printed."""
    directory.mkdir(parents=True, exist_ok=True)
    errors = directory / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "democluster", "--directory", str(directory)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    line: list[str] = []
    reader = threading.Thread(target=lambda: line.append(process.stdout.readline()))  # type: ignore[union-attr]
    reader.start()
    reader.join(START_SECONDS)
    if not line or not line[0].startswith(READY):
        end_democluster(process)
        reader.join()
        raise RuntimeError(f"The demo cluster did not start: {line} {errors.read_text()}")
    kubeconfig = Path(line[0].removeprefix(READY).strip())
    return RunningDemoCluster(kubeconfig, directory, process)


def end_democluster(process: subprocess.Popen[str]) -> None:
    """End the program as Ctrl-C does; kill it when it takes too long."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def running_democluster(directory: Path) -> Iterator[RunningDemoCluster]:
    """Run a demo cluster whose files lie in `directory`, for the length of a `with` block."""
    running = start_democluster(directory)
    try:
        yield running
    finally:
        end_democluster(running.process)


@pytest.fixture(scope="session")
def democluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemoCluster]:
    """One demo cluster for all tests of a run that import this fixture."""
    with running_democluster(tmp_path_factory.mktemp("democluster")) as running:
        yield running


def wait_until(condition: object, *, seconds: float = 15.0, every: float = 0.05) -> None:
    """Return when `condition()` is true; fail the test when the time is over."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(every)
