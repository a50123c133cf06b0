"""The clusters that the contract is checked against, each with the same pods in it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.client import Access, Api
from tests.democluster.running import running_democluster

START_SECONDS = 90.0
"""How long the pods of the contract may take to run on a real, busy cluster."""

DEBIAN = "docker.io/library/debian:bookworm"
BUSYBOX = "docker.io/library/busybox:latest"
PAUSE = "docker.io/test/pause:1"

TALK = (
    'echo first; i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo "line $i"; done; '
    "echo wrong >&2; echo 中文 🎉; while true; do sleep 1; echo tick; done"
)


@dataclass(frozen=True, slots=True)
class ContractCluster:
    """A cluster with a namespace of ours, in which the pods of `PODS` run."""

    kind: str
    kubeconfig: Path
    namespace: str

    @property
    def pods(self) -> str:
        """The path of our pods."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def user_kubeconfig(self, name: str) -> Path:
        """Return another user's kubeconfig; expect no more of a cluster that has none."""
        path = self.kubeconfig.with_name(f"{self.kubeconfig.name}-{name}")
        if not path.exists():
            pytest.xfail(f"this cluster has no {path.name} beside its kubeconfig")
        return path


def container(name: str, image: str, *command: str, **more: Any) -> dict[str, Any]:
    """Return a container that uses an image that the nodes already have."""
    made = {"name": name, "image": image, "imagePullPolicy": "Never", **more}
    return made | ({"command": list(command)} if command else {})


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a pod that ends quickly."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name, "suite": "contract"}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": list(containers), **spec},
    }


FOREVER = ("sh", "-c", "while true; do sleep 3600; done")
PODS = (
    pod("shells", container("main", DEBIAN, *FOREVER), container("side", BUSYBOX, *FOREVER)),
    pod("console", container("main", DEBIAN, "bash", stdin=True, tty=True)),
    pod("bare", container("main", PAUSE)),
    pod("talker", container("main", BUSYBOX, "sh", "-c", TALK)),
    pod("failed", container("main", BUSYBOX, "sh", "-c", "exit 3"), restartPolicy="Never"),
)
ROLES = {
    "operator": [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": ["get", "create"]},
    ],
    "viewer": [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]}
    ],
    "getter": [{"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": ["get"]}],
    "creator": [
        {"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": ["create"]}
    ],
}
"""Each is bound to a group `contract-<role>` in our namespace."""


class Administrator:
    """Requests one after the other, outside of any event loop."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request; return the decoded answer. Raises AssertionError for a refusal."""
        where = urlsplit(self._access.server)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, context=self._access.tls, timeout=30
        )
        headers = {"Content-Type": "application/json"}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            text = response.read()
            assert response.status < 300, f"{method} {path}: {response.status} {text!r}"
            return json.loads(text)
        finally:
            connection.close()


@contextmanager
def _filled(kind: str, kubeconfig: Path) -> Iterator[ContractCluster]:
    namespace = f"contract-{secrets.token_hex(4)}"
    administrator = Administrator(Access.of(kubeconfig))
    administrator.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    try:
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        for name, rules in ROLES.items():
            role = {"metadata": {"name": name}, "rules": rules}
            administrator.call("POST", f"{rbac}/roles", role)
            group = {"kind": "Group", "name": f"contract-{name}"}
            group["apiGroup"] = "rbac.authorization.k8s.io"
            reference = {"kind": "Role", "name": name, "apiGroup": group["apiGroup"]}
            binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [group]}
            administrator.call("POST", f"{rbac}/rolebindings", binding)
        pods = f"/api/v1/namespaces/{namespace}/pods"
        for item in PODS:
            _create_pod(administrator, namespace, pods, item)
        _wait_for_pods(administrator, pods)
        yield ContractCluster(kind, kubeconfig, namespace)
    finally:
        administrator.call("DELETE", f"/api/v1/namespaces/{namespace}")


def _create_pod(
    administrator: Administrator, namespace: str, pods: str, item: dict[str, Any]
) -> None:
    # A real cluster makes the service account of a namespace a moment after the namespace.
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            administrator.call("POST", pods, item)
            return
        except AssertionError:
            names = administrator.call("GET", accounts)["items"]
            if names or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _wait_for_pods(administrator: Administrator, pods: str) -> None:
    wanted = {"failed": "Failed"}
    deadline = time.monotonic() + START_SECONDS
    while True:
        items = administrator.call("GET", pods)["items"]
        phases = {item["metadata"]["name"]: item["status"].get("phase") for item in items}
        if all(phase == wanted.get(name, "Running") for name, phase in phases.items()):
            return
        assert time.monotonic() < deadline, f"the pods of the contract do not run: {phases}"
        time.sleep(0.2)


@pytest.fixture(scope="session", params=["demo", pytest.param("real", marks=pytest.mark.cluster)])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContractCluster]:
    """Each cluster in turn: the demo cluster, and the real one where there is one."""
    if request.param == "demo":
        with running_democluster(tmp_path_factory.mktemp("democluster")) as running:
            with _filled("demo", running.kubeconfig) as filled:
                yield filled
        return
    kubeconfig = os.environ.get("HATCHWAY_TEST_KUBECONFIG")
    if not kubeconfig:
        pytest.skip("needs a real Kubernetes: set HATCHWAY_TEST_KUBECONFIG")
    with _filled("real", Path(kubeconfig)) as filled:
        yield filled


@pytest.fixture
async def api(cluster: ContractCluster) -> AsyncIterator[Api]:
    """The API as its administrator."""
    async with Api(Access.of(cluster.kubeconfig)) as opened:
        yield opened
