"""Chromium, a Hatchway of its own on the demo cluster, and one on a real cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.inside import Cluster
from tests.browser.line import Line
from tests.browser.person import Chromium, Person
from tests.browser.yard import Yard, yard_in
from tests.contract.conftest import BUSYBOX
from tests.democluster.running import RunningDemoCluster, running_democluster
from tests.e2e.running import ROOT, RunningHatchway, free_port, running_hatchway
from tests.e2e.targets import first_target

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WITHOUT_WEBGL = "--disable-3d-apis"
"""Makes xterm.js draw with elements, whose text a test can read."""

LIMITS = {
    # The tests leave more sessions and tickets behind than a person would.
    "HATCHWAY_SESSIONS_PER_PERSON": "200",
    "HATCHWAY_SOCKETS_PER_PERSON": "400",
    "HATCHWAY_TICKETS_PER_PERSON": "600",
}


@pytest.fixture(autouse=True)
def _no_task_is_left() -> None:
    """Leave asyncio alone: Playwright runs a loop of its own in this thread."""


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return where Chromium is; skip where it or the built frontend is missing."""
    path = os.environ.get("HATCHWAY_TEST_CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.skip("needs Chromium: HATCHWAY_TEST_CHROMIUM or /usr/bin/chromium")
    if not (ROOT / "static/dist/.vite/manifest.json").exists():
        pytest.skip("needs the built frontend: make build")
    return path


# Of a module and not of the whole run: Playwright's loop is in the way of asyncio tests.
@pytest.fixture(scope="module")
def playwright(chromium_path: str) -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """Chromium that draws terminals as text."""
    running = playwright.chromium.launch(
        executable_path=chromium_path, args=[*FLAGS, WITHOUT_WEBGL]
    )
    yield running
    running.close()


@pytest.fixture(scope="module")
def webgl_browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """Chromium that draws terminals with WebGL, in software."""
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    running = playwright.chromium.launch(
        executable_path=chromium_path,
        args=[*flags, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
    )
    yield running
    running.close()


@pytest.fixture
def chromium(browser: Browser) -> Iterator[Chromium]:
    """Open people's browsers; afterwards nothing may have broken the policy or thrown."""
    opened = Chromium(browser)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def demo_cluster(
    chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemoCluster]:
    """The demo cluster as a program of its own."""
    with running_democluster(tmp_path_factory.mktemp("democluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def demo(
    demo_cluster: RunningDemoCluster,
    lines: dict[str, Line],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningHatchway]:
    """Hatchway on the demo cluster."""
    with hatchway_with_line(tmp_path_factory, demo_cluster.kubeconfig, lines) as running:
        yield running


@pytest.fixture(scope="session")
def real(
    chromium_path: str, lines: dict[str, Line], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHatchway]:
    """Hatchway on a real cluster, acting as the signed-in person."""
    path = os.environ.get("HATCHWAY_TEST_KUBECONFIG", "")
    if not path:
        pytest.skip("needs a real cluster: HATCHWAY_TEST_KUBECONFIG")
    more = {"HATCHWAY_IDENTITY": "impersonate", "HATCHWAY_DEBUG_IMAGES": BUSYBOX}
    with hatchway_with_line(tmp_path_factory, Path(path), lines, **more) as running:
        yield running


@contextmanager
def hatchway_with_line(
    directories: pytest.TempPathFactory, kubeconfig: Path, lines: dict[str, Line], **more: str
) -> Iterator[RunningHatchway]:
    """Run a Hatchway that may also be reached over a line that can be slow or cut."""
    port = free_port()
    with closing(Line(port)) as line:
        origins = f"http://127.0.0.1:{port},{line.origin}"
        with running_hatchway(
            directories.mktemp("hatchway"),
            kubeconfig,
            port=port,
            HATCHWAY_ORIGINS=origins,
            **LIMITS,
            **more,
        ) as running:
            lines[running.origin] = line
            yield running


@pytest.fixture(scope="session")
def lines() -> dict[str, Line]:
    """The lines to the servers, by their origins."""
    return {}


@pytest.fixture
def line(house: RunningHatchway, lines: dict[str, Line]) -> Iterator[Line]:
    """The line to `house`, whole and fast at the beginning and at the end."""
    line = lines[house.origin]
    yield line
    line.bytes_per_second = None
    line.mend()


@pytest.fixture(params=["demo", pytest.param("real", marks=pytest.mark.cluster)])
def house(request: pytest.FixtureRequest) -> RunningHatchway:
    """Each Hatchway in turn, for what must be so on the demo cluster and on a real one."""
    running: RunningHatchway = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def cluster(house: RunningHatchway) -> Cluster:
    """The cluster of `house`, past Hatchway."""
    name = "real" if "HATCHWAY_IDENTITY" in house.environment else "demo"
    return Cluster(name, Path(house.environment["HATCHWAY_KUBECONFIG"]))


@pytest.fixture
def container(cluster: Cluster) -> str:
    """Return cluster/namespace/pod/container of one with bash and vi in `cluster`."""
    namespace = "default" if cluster.name == "real" else "shop"
    return first_target(cluster.kubeconfig, cluster.name, namespace)


@pytest.fixture
def console(cluster: Cluster) -> str:
    """Return the container in `cluster` whose main process is a shell on a terminal."""
    return first_target(cluster.kubeconfig, cluster.name, "default", "console")


@pytest.fixture
def yard(cluster: Cluster) -> Iterator[Yard]:
    """A namespace that is removed after the test."""
    with yard_in(cluster) as made:
        yield made


@pytest.fixture
def web(demo: RunningHatchway) -> str:
    """Return a container of the demo cluster that has a shell."""
    return first_target(Path(demo.environment["HATCHWAY_KUBECONFIG"]), "demo", "shop")


@pytest.fixture
def alice(chromium: Chromium, demo: RunningHatchway) -> Person:
    """Alice, who operates `shop` and `default`, signed in on the demo cluster."""
    return chromium.person(demo, "alice")


@pytest.fixture
def resident(chromium: Chromium, house: RunningHatchway) -> Person:
    """Alice, signed in at `house`."""
    return chromium.person(house, "alice")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Mark everything in this folder: none of it runs without Chromium."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
