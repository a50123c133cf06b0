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


class Needs:
    """Counts skipped tests by what they need."""

    def __init__(self, *, has_cluster: bool) -> None:
        self.skipped: Counter[str] = Counter()
        self.reasons: set[str] = set()
        """Why tests without one of these markers were skipped."""
        self._has_cluster = has_cluster

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the skip of a cluster test into a failure where a cluster was given."""
        report = yield
        is_expected = hasattr(report, "wasxfail")
        if self._has_cluster and report.skipped and not is_expected and "cluster" in item.keywords:
            report.outcome = "failed"
            report.longrepr = (
                "HATCHWAY_TEST_KUBECONFIG is set, so this test must not be skipped. "
                + _reason(report)
            )
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one skipped test."""
        if report.skipped and not hasattr(report, "wasxfail"):
            marker = next((name for name in REMEDIES if name in report.keywords), "")
            self.skipped[marker] += 1
            if not marker:
                self.reasons.add(_reason(report).removeprefix("Skipped: "))

    def pytest_unconfigure(self) -> None:
        """Print what was skipped. Runs after pytest's own last line."""
        for name in (*REMEDIES, ""):
            if count := self.skipped[name]:
                tests = "test" if count == 1 else "tests"
                if name:
                    print(f"Skipped {count} {name} {tests}: needs {REMEDIES[name]}.")
                else:
                    print(f"Skipped {count} other {tests}: {'; '.join(sorted(self.reasons))}.")


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def pytest_configure(config: pytest.Config) -> None:
    """Register the counter for this run."""
    has_cluster = bool(os.environ.get("HATCHWAY_TEST_KUBECONFIG"))
    config.pluginmanager.register(Needs(has_cluster=has_cluster), "hatchway-needs")
