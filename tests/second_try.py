"""Give tests on real clusters, servers and browsers a second try (`-p tests.second_try`).

They wait for other programs with deadlines, and two busy cores miss one now and then. `make test`
loads this; a test that needs its second try is counted as `rerun` in the last line, so that one
that often does is seen. Tests of our own code alone get none.
"""

from __future__ import annotations

import pytest

FOLDERS = ("tests/e2e/", "tests/browser/", "tests/contract/", "tests/democluster/", "tests/demo/")
MARKERS = ("cluster", "browser", "kubectl")
TRIES = 2
"""Further tries of one test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that may be tried again."""
    for item in items:
        if item.nodeid.startswith(FOLDERS) or any(item.get_closest_marker(m) for m in MARKERS):
            item.add_marker(pytest.mark.flaky(reruns=TRIES, reruns_delay=1))
