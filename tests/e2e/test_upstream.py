"""Clusters that vanish under a session: never a success, never silence, nothing left running."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.democluster.running import RunningDemoCluster
from tests.e2e.faultproxy import FaultProxy, fault_proxy
from tests.e2e.other_client import Hatchway
from tests.e2e.person import ask, shell, sign_in, terminal
from tests.e2e.running import RunningHatchway, running_hatchway
from tests.e2e.targets import first_target

REAL = "real/default/web/main"
DEADLINE = 40.0
IMAGE = "docker.io/library/debian:bookworm"


@asynccontextmanager
async def behind_a_line(
    kubeconfig: Path, directory: Path
) -> AsyncIterator[tuple[RunningHatchway, FaultProxy]]:
    """Run a Hatchway whose only way to the cluster can be cut."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    address = urlsplit(cluster["server"])
    async with fault_proxy(address.port or 443) as proxy:
        cluster["server"] = f"https://127.0.0.1:{proxy.port}"
        cluster["tls-server-name"] = address.hostname
        own = directory / "kubeconfig"
        own.write_text(yaml.safe_dump(config))
        starting = running_hatchway(directory, own, HATCHWAY_IDENTITY="impersonate")
        running = await asyncio.to_thread(starting.__enter__)
        try:
            yield running, proxy
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)


async def _runs(client: Hatchway, target: str, mark: str) -> bool:
    """Ask the container itself whether a command line with `mark` is running there."""
    script = 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " " | grep -q "$1"'
    command = ["sh", "-c", script, "sh", f"[{mark[0]}]{mark[1:]}"]
    ticket = await asyncio.to_thread(ask, client, target, shell="custom", command=command)
    async with terminal(client, ticket) as looking:
        await looking.hello()
        await looking.until(lambda: bool(looking.told("ended")))
        return int(looking.told("ended")[0]["exit_code"]) == 0


async def _until_gone(client: Hatchway, target: str, mark: str) -> None:
    async with asyncio.timeout(DEADLINE):
        while await _runs(client, target, mark):
            await asyncio.sleep(0.2)


@pytest.fixture(params=["demo", pytest.param("real", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A kubeconfig and a target, on each cluster that there is."""
    if request.param == "real":
        return request.getfixturevalue("real_kubeconfig"), REAL
    kubeconfig = request.getfixturevalue("demo_cluster").kubeconfig
    return kubeconfig, first_target(kubeconfig, "demo", "shop")


async def test_a_line_to_the_cluster_that_breaks_is_no_success_and_leaves_nothing(
    place: tuple[Path, str], tmp_path: Path
) -> None:
    kubeconfig, target = place
    async with behind_a_line(kubeconfig, tmp_path) as (server, proxy):
        client = await asyncio.to_thread(sign_in, server)
        mark = f"sleep 86{secrets.randbelow(90000) + 10000}"
        async with shell(client, target) as typing:
            await typing.types(f"{mark} & {mark}\r".encode())
            await typing.sees(mark.encode() + b"\r\n")
            assert await _runs(client, target, mark)
            proxy.cut()
            await typing.until(lambda: bool(typing.told("ended")))
            ended = typing.told("ended")[0]
        assert (ended["reason"], ended["exit_code"]) == ("lost", None)
        await _until_gone(client, target, mark)

        # Byte by byte, all is as ever.
        proxy.slice_bytes = 1
        async with shell(client, target) as slow:
            await slow.types(b"echo as-$((6*7))-ever; exit 7\r")
            await slow.sees(b"as-42-ever")
            await slow.until(lambda: bool(slow.told("ended")))
            assert slow.told("ended")[0]["exit_code"] == 7
        proxy.slice_bytes = 16384

        # And nothing is started where nobody answers.
        ticket = await asyncio.to_thread(ask, client, target)
        proxy.is_refusing = True
        proxy.cut()
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(ask, client, target)
        with refused.value as answer:
            assert answer.code in (502, 503, 504)
            assert json.loads(answer.read())["error"]["code"] == "cluster_cluster_unreachable"
        async with terminal(client, ticket) as unlucky:
            await unlucky.hello()
            await unlucky.until(lambda: bool(unlucky.told("ended")))
            ended = unlucky.told("ended")[0]
        assert (ended["reason"], ended["data"]["kind"]) == ("refused", "cluster_unreachable")


async def test_a_session_outlives_a_database_that_is_locked(
    demo_cluster: RunningDemoCluster, tmp_path: Path
) -> None:
    target = first_target(demo_cluster.kubeconfig, "demo", "shop")
    with running_hatchway(tmp_path, demo_cluster.kubeconfig) as server:
        client = await asyncio.to_thread(sign_in, server)
        async with shell(client, target) as typing:
            with _locked(tmp_path / "hatchway.sqlite3"):
                for turn in range(3):
                    await typing.types(b"echo turn-$((%d+100))\r" % turn)
                    await typing.sees(b"turn-%d\r\n" % (turn + 100))
                await typing.types(b"exit 3\r")
                await typing.until(lambda: bool(typing.told("ended")))
            assert typing.told("ended")[0]["exit_code"] == 3
            session = typing.session

        async def noted() -> dict[str, Any]:
            found: dict[str, Any] = await asyncio.to_thread(
                client.call, "GET", f"/api/sessions/{session}"
            )
            return found

        async with asyncio.timeout(DEADLINE):
            while (await noted())["state"] != "ended":
                await asyncio.sleep(0.1)
        assert (await noted())["end_reason"] == "exited"


@pytest.mark.cluster
async def test_a_deleted_pod_is_said_to_be_deleted(
    real: RunningHatchway, real_kubeconfig: Path
) -> None:
    client = await asyncio.to_thread(sign_in, real)
    with _pod(real_kubeconfig) as (name, delete):
        async with shell(client, f"real/default/{name}/main") as typing:
            await typing.types(b"sleep 7700\r")
            await typing.sees(b"sleep 7700")
            await asyncio.to_thread(delete)
            await typing.until(lambda: bool(typing.told("ended")))
            assert await typing.is_closed() == 4410
    ended = typing.told("ended")[0]
    assert ended["reason"] == "target_gone"
    assert ended["data"]["why"] in ("pod_deleted", "container_restarted")


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    held = sqlite3.connect(database, timeout=10, isolation_level=None)
    try:
        held.execute("BEGIN EXCLUSIVE")
        yield
        held.execute("ROLLBACK")
    finally:
        held.close()


@contextmanager
def _pod(kubeconfig: Path) -> Iterator[tuple[str, Any]]:
    """Make a pod of our own in `default` and wait until it runs; delete it whatever happens."""
    name = f"hatchway-e2e-{secrets.token_hex(4)}"
    at = f"/api/v1/namespaces/default/pods/{name}"

    def delete() -> None:
        with _allowing_missing():
            _admin(kubeconfig, "DELETE", at + "?gracePeriodSeconds=0")

    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sleep", "3600"],
    }
    pod = {
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    _admin(kubeconfig, "POST", "/api/v1/namespaces/default/pods", pod)
    try:
        deadline = time.monotonic() + DEADLINE
        while not _is_ready(_admin(kubeconfig, "GET", at)):
            assert time.monotonic() < deadline, "the pod did not start"
            time.sleep(0.1)
        yield name, delete
    finally:
        delete()


def _is_ready(pod: dict[str, Any]) -> bool:
    states = pod["status"].get("containerStatuses") or []
    return bool(states) and all(each["ready"] for each in states)


@contextmanager
def _allowing_missing() -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 404:
            raise


def _admin(kubeconfig: Path, method: str, path: str, body: Any = None) -> dict[str, Any]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    request = urllib.request.Request(
        cluster["server"] + path,
        json.dumps(body).encode() if body else None,
        {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"},
        method=method,
    )
    trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
    with urllib.request.urlopen(request, context=trust, timeout=20) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found
