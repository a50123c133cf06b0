"""Both servers, each started once for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.servers import Server, prepare, running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a migrated database and the demo accounts."""
    path = tmp_path_factory.mktemp("server")
    prepare(path)
    return path


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    """Run uvicorn, then Daphne, until the module's tests are done."""
    with running(request.param, folder) as found:
        yield found
