"""One project folder for the tests of the runner: its virtual environment takes seconds to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.machine import free_port
from tests.demo.project import Project


@pytest.fixture(scope="session")
def prepared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was started once."""
    project = Project(tmp_path_factory.mktemp("project"))
    run = project.start("demo", HATCHWAY_PORT=str(free_port()))
    run.until_ready()
    assert run.interrupt() == 0, run.text
    assert "Making the virtual environment" in run.text
    assert "Building the frontend" in run.text
    return project


@pytest.fixture
def project(prepared_project: Project) -> Iterator[Project]:
    """The same project; fails when something of it still runs after the test."""
    yield prepared_project
    left = prepared_project.processes()
    # One test that fails must not make the next ones fail.
    prepared_project.end_all()
    assert left == []


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder
