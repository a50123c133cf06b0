"""Debug containers: ephemeral containers that are added to a running pod and attached to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.client import ANSWER_SECONDS, STDIN, Api, impersonating, size_line
from tests.contract.conftest import BUSYBOX, START_SECONDS, ContractCluster, container

STRATEGIC = "application/strategic-merge-patch+json"


def patch(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"ephemeralContainers": list(containers)}}


async def state_of(api: Api, cluster: ContractCluster, name: str, state: str) -> dict[str, Any]:
    async with asyncio.timeout(START_SECONDS):
        while True:
            found = (await api.get(f"{cluster.pods}/bare")).json
            for status in found["status"].get("ephemeralContainerStatuses") or []:
                if status["name"] == name and state in status["state"]:
                    reached: dict[str, Any] = status["state"][state]
                    return reached
            await asyncio.sleep(0.1)


async def test_debug_container_starts_in_a_pod_without_a_shell_and_is_attached_to(
    api: Api, cluster: ContractCluster
) -> None:
    path = f"{cluster.pods}/bare/ephemeralcontainers"
    added = container("debugger-a", BUSYBOX, "sh", stdin=True, tty=True, targetContainerName="main")

    reply = await api.call("PATCH", path, patch(added), content_type=STRATEGIC)

    assert reply.status == 200
    names = [item["name"] for item in reply.json["spec"]["ephemeralContainers"]]
    assert "debugger-a" in names
    await state_of(api, cluster, "debugger-a", "running")
    options = [("container", "debugger-a"), ("stdin", "true"), ("stdout", "true"), ("tty", "true")]
    async with api.stream(f"{cluster.pods}/bare/attach", options) as stream:
        # The first prompt was printed before we came; a resize makes the shell ask again.
        await stream.resize(90, 30)
        await stream.answers(b"echo debug-$((40 + 2))\r", b"debug-42")
        await stream.answers(size_line(90, 30, b"\r"), b"30 90\r\n")
        await stream.send(STDIN, b"exit 5\r")
        assert (await stream.until_end()).exit_code == 0
    ended = await state_of(api, cluster, "debugger-a", "terminated")
    assert ended["exitCode"] == 5
    found = (await api.get(f"{cluster.pods}/bare")).json
    assert found["status"]["phase"] == "Running"
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0


async def test_debug_container_can_be_used_by_exec_and_has_a_log(
    api: Api, cluster: ContractCluster
) -> None:
    path = f"{cluster.pods}/bare/ephemeralcontainers"
    added = container("debugger-b", BUSYBOX, "sh", "-c", "echo here; sleep 600")
    await api.call("PATCH", path, patch(added), content_type=STRATEGIC)
    await state_of(api, cluster, "debugger-b", "running")

    options = [("container", "debugger-b"), ("command", "echo"), ("command", "hello")]
    async with api.stream(f"{cluster.pods}/bare/exec", [*options, ("stdout", "true")]) as stream:
        outcome = await stream.until_end()
    async with asyncio.timeout(ANSWER_SECONDS):
        while (log := await api.get(f"{cluster.pods}/bare/log?container=debugger-b")).text == "":
            await asyncio.sleep(0.1)

    assert outcome.of(1) == b"hello\n"
    assert log.text == "here\n"


@pytest.mark.parametrize(
    ("added", "field", "reason"),
    [
        (container("main", BUSYBOX), "name", "FieldValueDuplicate"),
        (
            container("debugger-c", BUSYBOX, targetContainerName="nope"),
            "targetContainerName",
            "FieldValueNotFound",
        ),
        (container("Bad_", BUSYBOX), "name", "FieldValueInvalid"),
        (container("debugger-d", ""), "image", "FieldValueRequired"),
    ],
)
async def test_wrong_debug_containers_are_invalid(
    api: Api, cluster: ContractCluster, added: dict[str, Any], field: str, reason: str
) -> None:
    path = f"{cluster.pods}/bare/ephemeralcontainers"

    reply = await api.call("PATCH", path, patch(added), content_type=STRATEGIC)

    assert (reply.status, reply.json["reason"]) == (422, "Invalid")
    assert reply.message.startswith('Pod "bare" is invalid: ')
    causes = reply.json["details"]["causes"]
    assert any(
        item["reason"] == reason and item["field"].endswith(f".{field}") for item in causes
    ), causes


async def test_debug_containers_need_their_own_right_and_the_right_words(
    api: Api, cluster: ContractCluster
) -> None:
    path = f"{cluster.pods}/bare/ephemeralcontainers"
    body = patch(container("debugger-e", BUSYBOX))
    operator = impersonating("olga", "contract-operator")

    forbidden = await api.call("PATCH", path, body, content_type=STRATEGIC, headers=operator)
    missing = await api.call(
        "PATCH", path.replace("/bare/", "/nope/"), body, content_type=STRATEGIC
    )
    unsupported = await api.call("PATCH", path, body, content_type="application/foo")
    broken = await api.call("PATCH", path, "{", content_type=STRATEGIC)

    assert forbidden.status == 403
    assert forbidden.message == (
        'pods "bare" is forbidden: User "olga" cannot patch resource "pods/ephemeralcontainers" '
        f'in API group "" in the namespace "{cluster.namespace}"'
    )
    assert (missing.status, missing.message) == (404, 'pods "nope" not found')
    assert (unsupported.status, unsupported.json["reason"]) == (415, "UnsupportedMediaType")
    assert (broken.status, broken.json["reason"]) == (400, "BadRequest")
