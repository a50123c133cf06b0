"""A namespace of the tests' own, for what would stay behind in somebody else's pod."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from tests.browser.inside import Cluster
from tests.contract.client import Json
from tests.contract.conftest import PAUSE, container, pod

GROUP = "administrators"
"""Whose people may do everything in the yard, where the cluster knows who they are."""
START_SECONDS = 60.0
POLL_SECONDS = 0.2
RULES: list[Json] = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": ["get", "create"]},
    {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["get", "patch"]},
]


@dataclass(frozen=True, slots=True)
class Yard:
    """The namespace; `bare` is a running pod in it whose container has no shell."""

    cluster: str
    namespace: str

    @property
    def bare(self) -> str:
        """Return the target without a shell."""
        return f"{self.cluster}/{self.namespace}/bare/main"


@contextmanager
def yard_in(cluster: Cluster) -> Iterator[Yard]:
    """Make the namespace and its pod; remove them afterwards, with all that was added."""
    name = f"browser-{secrets.token_hex(4)}"
    namespace = f"/api/v1/namespaces/{name}"
    _made(cluster, "/api/v1/namespaces", {"metadata": {"name": name}})
    try:
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}"
        about = {"apiGroup": "rbac.authorization.k8s.io"}
        _made(cluster, f"{rbac}/roles", {"metadata": {"name": "yard"}, "rules": RULES})
        binding = {
            "metadata": {"name": "yard"},
            "roleRef": about | {"kind": "Role", "name": "yard"},
            "subjects": [about | {"kind": "Group", "name": GROUP}],
        }
        _made(cluster, f"{rbac}/rolebindings", binding)
        bare = pod("bare", container("main", PAUSE))
        # A real cluster makes the service account of a namespace a moment after the namespace.
        _until(
            lambda: cluster.call("POST", f"{namespace}/pods", bare).status != HTTPStatus.FORBIDDEN,
            "the service account",
        )
        _until(
            lambda: (
                cluster.call("GET", f"{namespace}/pods/bare").json["status"]["phase"] == "Running"
            ),
            "the pod without a shell",
        )
        yield Yard(cluster.name, name)
    finally:
        cluster.call("DELETE", namespace)


def _made(cluster: Cluster, path: str, body: Json) -> None:
    reply = cluster.call("POST", path, body)
    assert reply.status == HTTPStatus.CREATED, reply.text


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in time"
        time.sleep(POLL_SECONDS)
