"""Logs: what is kept, how it is cut, and following."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.client import ANSWER_SECONDS, STDIN, Api
from tests.contract.conftest import BUSYBOX, START_SECONDS, ContractCluster, container, pod

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@pytest.fixture
def path(cluster: ContractCluster) -> str:
    return f"{cluster.pods}/talker/log"


async def ended(api: Api, cluster: ContractCluster, name: str, script: str) -> str:
    """Run a pod to its end and return the path of its log."""
    made = pod(name, container("main", BUSYBOX, "sh", "-c", script), restartPolicy="Never")
    await api.call("POST", cluster.pods, made)
    async with asyncio.timeout(START_SECONDS):
        while True:
            phase = (await api.get(f"{cluster.pods}/{name}")).json["status"].get("phase")
            if phase in ("Succeeded", "Failed"):
                return f"{cluster.pods}/{name}/log"
            await asyncio.sleep(0.1)


async def test_log_has_both_streams_in_plain_text(api: Api, path: str) -> None:
    reply = await api.get(path)

    lines = reply.text.splitlines()
    assert reply.content_type == "text/plain"
    # The two streams have no order between them, each has one of its own.
    assert [line for line in lines if line != "wrong"][:7] == [
        "first",
        *(f"line {number}" for number in range(1, 6)),
        "中文 🎉",
    ]
    assert "wrong" in lines


async def test_tail_gives_the_last_lines(api: Api, cluster: ContractCluster) -> None:
    path = await ended(api, cluster, "tailed", "for i in 1 2 3 4 5; do echo $i; done")

    assert (await api.get(f"{path}?tailLines=2")).text == "4\n5\n"
    assert (await api.get(f"{path}?tailLines=0")).text == ""
    assert (await api.get(f"{path}?tailLines=99")).text == "1\n2\n3\n4\n5\n"
    assert (await api.get(f"{path}?limitBytes=3")).text == "1\n2"
    assert (await api.get(f"{path}?tailLines=2&limitBytes=3")).text == "4\n5"
    assert (await api.get(f"{path}?follow=true")).text == "1\n2\n3\n4\n5\n"
    assert (await api.get(f"{path}?follow=true&tailLines=1")).text == "5\n"


async def test_timestamps_stand_before_every_line(api: Api, path: str) -> None:
    lines = (await api.get(f"{path}?timestamps=true&tailLines=3")).text.splitlines()

    stamps = [line.partition(" ")[0] for line in lines]
    assert all(STAMP.fullmatch(stamp) for stamp in stamps), lines
    assert all(line.partition(" ")[2] for line in lines)
    assert stamps == sorted(stamps)


async def test_since_is_a_whole_second_and_includes_it(api: Api, cluster: ContractCluster) -> None:
    path = await ended(api, cluster, "since", "echo old; sleep 2; echo new; echo newer")
    lines = (await api.get(f"{path}?timestamps=true")).text.splitlines()
    stamp = next(line for line in lines if line.endswith(" newer")).partition(" ")[0]
    future = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert (await api.get(f"{path}?sinceTime={stamp}")).text == "new\nnewer\n"
    assert (await api.get(f"{path}?sinceTime={stamp}&tailLines=1")).text == "newer\n"
    assert (await api.get(f"{path}?sinceTime={future}")).text == ""
    assert (await api.get(f"{path}?sinceSeconds=3600")).text == "old\nnew\nnewer\n"


async def test_follow_goes_on_with_new_lines(api: Api, path: str) -> None:
    async with (
        api.lines(f"{path}?follow=true&tailLines=1") as body,
        asyncio.timeout(ANSWER_SECONDS),
    ):
        lines = [await body.readline() for _ in range(4)]

    assert lines[1:] == [b"tick\n"] * 3


async def test_follow_ends_with_the_container(api: Api, cluster: ContractCluster) -> None:
    name = "followed"
    script = "echo one; sleep 2; echo two"
    made = pod(name, container("main", BUSYBOX, "sh", "-c", script), restartPolicy="Never")
    await api.call("POST", cluster.pods, made)
    path = f"{cluster.pods}/{name}/log?follow=true"
    async with asyncio.timeout(START_SECONDS):
        while (await api.get(path.partition("?")[0])).status != 200:
            await asyncio.sleep(0.1)
        reply = await api.get(path)

    assert (reply.status, reply.text) == (200, "one\ntwo\n")


async def test_long_line_is_one_line_with_one_timestamp(api: Api, cluster: ContractCluster) -> None:
    script = "head -c 40000 /dev/zero | tr '\\000' x; echo; echo short; printf unfinished"
    path = await ended(api, cluster, "longline", script)

    text = (await api.get(f"{path}?timestamps=true")).text

    lines = text.splitlines()
    assert [len(line.partition(" ")[2]) for line in lines] == [40000, 5, 10]
    assert len(STAMP.findall(text)) == 3
    assert (await api.get(f"{path}?tailLines=2")).text.startswith("short\nunfinished")


async def test_previous_run_of_a_container_keeps_its_log(
    api: Api, cluster: ContractCluster
) -> None:
    # The second run goes on. Of a container that ends at once, a real node removes each run that
    # is over before it stops to call it the previous one.
    script = "echo begun; read -r code; echo told $code; exit $code"
    await api.call(
        "POST",
        cluster.pods,
        pod("again", container("main", BUSYBOX, "sh", "-c", script, stdin=True)),
    )
    path = f"{cluster.pods}/again"

    async def is_in_run(count: int) -> bool:
        statuses = (await api.get(path)).json["status"].get("containerStatuses") or []
        return any(
            each["restartCount"] == count and "running" in each["state"] for each in statuses
        )

    async with asyncio.timeout(START_SECONDS):
        while not await is_in_run(0):
            await asyncio.sleep(0.1)
        wanted = [("container", "main"), ("stdin", "true"), ("stdout", "true")]
        async with api.stream(f"{path}/attach", wanted) as stream:
            await stream.send(STDIN, b"4\n")
            await stream.until_end()
        while not (await is_in_run(1) and (await api.get(f"{path}/log")).text):
            await asyncio.sleep(0.1)
    missing = await api.get(f"{cluster.pods}/talker/log?previous=true")

    assert (await api.get(f"{path}/log?previous=true")).text == "begun\ntold 4\n"
    assert (await api.get(f"{path}/log")).text == "begun\n"
    assert missing.status == 400
    expected = 'previous terminated container "main" in pod "talker" not found'
    assert missing.message == expected


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
            422,
            "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ("stream=Stdout", 422, "stream: Forbidden: may not be specified"),
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            "sinceTime=x",
            400,
            'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
        ),
        ("container=nope", 400, "container nope is not valid for pod talker"),
    ],
)
async def test_wrong_wishes_are_refused_in_the_same_words(
    api: Api, path: str, query: str, status: int, message: str
) -> None:
    reply = await api.get(f"{path}?{query}")

    prefix = 'PodLogOptions "talker" is invalid: ' if status == 422 else ""
    assert (reply.status, reply.message) == (status, prefix + message)


async def test_wrong_targets_are_refused(api: Api, cluster: ContractCluster) -> None:
    unnamed = await api.get(f"{cluster.pods}/shells/log")
    missing = await api.get(f"{cluster.pods}/nope/log")

    assert unnamed.message == (
        "a container name must be specified for pod shells, choose one of: [main side]"
    )
    assert (missing.status, missing.message) == (404, 'pods "nope" not found')


async def test_container_that_cannot_start_says_why(api: Api, cluster: ContractCluster) -> None:
    made = pod("stuck", container("main", "docker.io/library/no-such-image:1", "sh"))
    await api.call("POST", cluster.pods, made)
    async with asyncio.timeout(START_SECONDS):
        while True:
            found = (await api.get(f"{cluster.pods}/stuck")).json
            statuses = found["status"].get("containerStatuses")
            if statuses and statuses[0]["state"]["waiting"]["reason"] != "ContainerCreating":
                break
            await asyncio.sleep(0.1)
    reply = await api.get(f"{cluster.pods}/stuck/log")

    assert found["status"]["phase"] == "Pending"
    assert statuses[0]["state"]["waiting"]["reason"] == "ErrImageNeverPull"
    assert reply.status == 400
    assert reply.message == (
        'container "main" in pod "stuck" is waiting to start: ErrImageNeverPull'
    )
