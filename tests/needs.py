"""Say at the very end which tests were skipped and how to get them (`-p tests.needs`).

With HATCHWAY_TEST_KUBECONFIG set, a skipped test that is marked `cluster` has failed: a cluster
that is there and not used proves nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

REMEDIES = {
    "cluster": "a Kubernetes; set HATCHWAY_TEST_KUBECONFIG to an administrator's kubeconfig",
    "kubectl": "kubectl on the PATH, or its path in HATCHWAY_TEST_KUBECTL",
    "redis": "a Redis; set HATCHWAY_TEST_REDIS_URL (`make system` installs redis-server on Debian)",
    "browser": "Chromium; `make system` installs it on Debian; or HATCHWAY_TEST_CHROMIUM=path",
}
"""What to say for each marker, in order of importance."""
OTHER = "what their messages above say"


class Needs:
    """Counts skipped tests by what they need."""

    def __init__(self, *, has_cluster: bool) -> None:
        self.skipped: Counter[str] = Counter()
        self._has_cluster = has_cluster

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the skip of a cluster test into a failure where a cluster was given."""
        report = yield
        is_expected = hasattr(report, "wasxfail")
        if self._has_cluster and report.skipped and not is_expected and "cluster" in item.keywords:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome = "failed"
            report.longrepr = (
                f"HATCHWAY_TEST_KUBECONFIG is set, so this test must not be skipped. {reason}"
            )
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one skipped test."""
        if report.skipped and not hasattr(report, "wasxfail"):
            marker = next((name for name in REMEDIES if name in report.keywords), "")
            self.skipped[marker] += 1

    def pytest_unconfigure(self) -> None:
        """Print what was skipped. Runs after pytest's own last line."""
        for name in (*REMEDIES, ""):
            if count := self.skipped[name]:
                tests = "test" if count == 1 else "tests"
                kind = f"{name} {tests}" if name else tests
                print(f"Skipped {count} {kind}: needs {REMEDIES.get(name, OTHER)}.")


def pytest_configure(config: pytest.Config) -> None:
    """Register the counter for this run."""
    has_cluster = bool(os.environ.get("HATCHWAY_TEST_KUBECONFIG"))
    config.pluginmanager.register(Needs(has_cluster=has_cluster), "hatchway-needs")
