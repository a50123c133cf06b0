"""Objects: version, lists, watches and the errors of a real API server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.contract.client import ANSWER_SECONDS, Api, Json
from tests.contract.conftest import (
    BUSYBOX,
    FOREVER,
    START_SECONDS,
    ContractCluster,
    container,
    pod,
)


async def next_event(body: aiohttp.StreamReader) -> Json:
    async with asyncio.timeout(START_SECONDS):
        line = await body.readline()
    assert line, "the watch ended"
    event: Json = json.loads(line)
    return event


async def event_where(body: aiohttp.StreamReader, kind: str, name: str) -> Json:
    while True:
        event = await next_event(body)
        if event["type"] == kind and event["object"]["metadata"].get("name") == name:
            return event


async def test_version_names_a_git_version(api: Api) -> None:
    version = (await api.get("/version")).json

    assert version["major"] == "1"
    assert version["gitVersion"].startswith("v1.")


async def test_pods_of_a_namespace_are_listed_with_what_a_tree_shows(
    api: Api, cluster: ContractCluster
) -> None:
    listed = (await api.get(cluster.pods)).json

    assert (listed["kind"], listed["apiVersion"]) == ("PodList", "v1")
    assert listed["metadata"]["resourceVersion"].isdigit()
    names = [item["metadata"]["name"] for item in listed["items"]]
    assert {"shells", "console", "bare", "talker"} <= set(names)
    shells = next(item for item in listed["items"] if item["metadata"]["name"] == "shells")
    assert "kind" not in shells
    assert shells["metadata"]["labels"]["suite"] == "contract"
    assert len(shells["metadata"]["uid"]) == 36
    assert shells["spec"]["nodeName"]
    assert shells["status"]["phase"] == "Running"
    assert shells["status"]["podIP"].count(".") == 3
    assert shells["status"]["qosClass"] == "BestEffort"
    conditions = {item["type"]: item["status"] for item in shells["status"]["conditions"]}
    assert conditions["Ready"] == conditions["PodScheduled"] == "True"
    statuses = {item["name"]: item for item in shells["status"]["containerStatuses"]}
    assert set(statuses) == {"main", "side"}
    main = statuses["main"]
    assert main["ready"] is True
    assert main["restartCount"] == 0
    assert main["containerID"].partition("://")[2].isalnum()
    assert main["state"]["running"]["startedAt"].endswith("Z")
    assert main["lastState"] == {}


async def test_pod_that_ended_tells_its_exit_code(api: Api, cluster: ContractCluster) -> None:
    ended = (await api.get(f"{cluster.pods}/failed")).json

    assert ended["kind"] == "Pod"
    assert ended["status"]["phase"] == "Failed"
    state = ended["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (3, "Error")
    assert state["finishedAt"] >= state["startedAt"]


async def test_container_that_crashes_again_and_again_waits_in_back_off(
    api: Api, cluster: ContractCluster
) -> None:
    made = pod("crashing", container("main", BUSYBOX, "sh", "-c", "echo crashed; exit 4"))
    watching = f"{cluster.pods}?watch=1&fieldSelector=metadata.name%3Dcrashing"
    # A real kubelet says so for less than a second of each round: only a watch does not miss it.
    async with api.lines(watching) as body, asyncio.timeout(START_SECONDS):
        await api.call("POST", cluster.pods, made)
        reason = ""
        while reason != "CrashLoopBackOff":
            found = (await next_event(body))["object"]
            for status in found["status"].get("containerStatuses") or []:
                reason = status["state"].get("waiting", {}).get("reason", "")

    assert found["status"]["phase"] == "Running"
    assert status["restartCount"] >= 1
    assert status["ready"] is False
    assert status["lastState"]["terminated"]["exitCode"] == 4
    assert "back-off" in status["state"]["waiting"]["message"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("labelSelector=app%3Dshells", {"shells"}),
        ("labelSelector=app+in+(shells,bare)", {"shells", "bare"}),
        ("labelSelector=suite,app!%3Dshells,app!%3Dbare,app+notin+(talker)&limit=500", None),
        ("fieldSelector=metadata.name%3Dconsole", {"console"}),
        ("fieldSelector=status.phase%3DFailed&labelSelector=app%3Dfailed", {"failed"}),
        ("labelSelector=app%3Dnobody", set()),
    ],
)
async def test_selectors_choose_pods(
    api: Api, cluster: ContractCluster, query: str, names: set[str] | None
) -> None:
    items = (await api.get(f"{cluster.pods}?{query}")).json["items"]

    found = {item["metadata"]["name"] for item in items}
    assert found == names if names is not None else {"console", "failed"} <= found
    assert not found & {"talker"} or names is None


async def test_long_lists_come_in_pages(api: Api, cluster: ContractCluster) -> None:
    first = (await api.get(f"{cluster.pods}?limit=2&labelSelector=suite")).json
    token = first["metadata"]["continue"]
    rest = (await api.get(f"{cluster.pods}?limit=500&labelSelector=suite&continue={token}")).json

    names = [item["metadata"]["name"] for item in (*first["items"], *rest["items"])]
    assert len(first["items"]) == 2
    assert "continue" not in rest["metadata"]
    assert len(names) == len(set(names))
    assert {"bare", "talker"} <= set(names)


async def test_watch_tells_what_happens_to_a_pod(api: Api, cluster: ContractCluster) -> None:
    version = (await api.get(cluster.pods)).json["metadata"]["resourceVersion"]
    watching = f"{cluster.pods}?watch=1&resourceVersion={version}&allowWatchBookmarks=true"
    made = pod("seen", container("main", BUSYBOX, *FOREVER))
    async with api.lines(watching) as body:
        assert (await api.call("POST", cluster.pods, made)).status == 201
        added = await event_where(body, "ADDED", "seen")
        phases = [added["object"]["status"]["phase"]]
        while phases[-1] != "Running":
            phases.append(
                (await event_where(body, "MODIFIED", "seen"))["object"]["status"]["phase"]
            )
        gone = await api.call("DELETE", f"{cluster.pods}/seen")
        ending = await event_where(body, "MODIFIED", "seen")
        while "deletionTimestamp" not in ending["object"]["metadata"]:
            ending = await event_where(body, "MODIFIED", "seen")
        deleted = await event_where(body, "DELETED", "seen")

    assert added["object"]["kind"] == "Pod"
    assert phases[0] == "Pending"
    assert gone.json["metadata"]["deletionTimestamp"]
    versions = [int(item["object"]["metadata"]["resourceVersion"]) for item in (added, deleted)]
    assert int(version) < versions[0] < versions[1]
    assert (await api.get(f"{cluster.pods}/seen")).status == 404


async def test_watch_from_a_version_repeats_what_happened_since(
    api: Api, cluster: ContractCluster
) -> None:
    maps = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    version = (await api.get(maps)).json["metadata"]["resourceVersion"]
    await api.call("POST", maps, {"metadata": {"name": "since"}, "data": {"a": "1"}})
    patch = {"data": {"a": "2"}}
    kind = "application/merge-patch+json"
    await api.call("PATCH", f"{maps}/since", patch, content_type=kind)
    await api.call("DELETE", f"{maps}/since")

    async with api.lines(f"{maps}?watch=1&resourceVersion={version}") as body:
        events = [await next_event(body) for _ in range(3)]

    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[1]["object"]["data"] == {"a": "2"}


async def test_watch_without_a_version_begins_with_what_is_there(
    api: Api, cluster: ContractCluster
) -> None:
    query = "watch=1&allowWatchBookmarks=true&labelSelector=app%3Dshells"
    async with api.lines(f"{cluster.pods}?{query}") as body:
        first = await next_event(body)
        second = await next_event(body)

    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "shells")
    assert second["type"] == "BOOKMARK"
    annotations = second["object"]["metadata"]["annotations"]
    assert annotations["k8s.io/initial-events-end"] == "true"


async def test_watch_with_a_selector_tells_when_an_object_leaves_it(
    api: Api, cluster: ContractCluster
) -> None:
    maps = f"/api/v1/namespaces/{cluster.namespace}/configmaps"
    await api.call("POST", maps, {"metadata": {"name": "moving", "labels": {"in": "yes"}}})
    patch = {"metadata": {"labels": {"in": "no"}}}
    async with api.lines(f"{maps}?watch=1&labelSelector=in%3Dyes") as body:
        await event_where(body, "ADDED", "moving")
        await api.call(
            "PATCH", f"{maps}/moving", patch, content_type="application/merge-patch+json"
        )
        event = await event_where(body, "DELETED", "moving")

    assert event["object"]["metadata"]["labels"] == {"in": "yes"}
    await api.call("DELETE", f"{maps}/moving")


async def test_watch_ends_after_the_asked_time(api: Api, cluster: ContractCluster) -> None:
    query = "watch=1&timeoutSeconds=1&labelSelector=app%3Dnobody"
    async with asyncio.timeout(ANSWER_SECONDS):
        assert (await api.get(f"{cluster.pods}?{query}")).text == ""


async def test_events_tell_about_pods(api: Api, cluster: ContractCluster) -> None:
    path = f"/api/v1/namespaces/{cluster.namespace}/events"
    selector = "fieldSelector=involvedObject.name%3Dshells"

    items = (await api.get(f"{path}?{selector}")).json["items"]

    assert {"Scheduled", "Pulled", "Created", "Started"} <= {item["reason"] for item in items}
    assert all(item["involvedObject"]["kind"] == "Pod" for item in items)
    assert all(item["type"] == "Normal" and item["message"] for item in items)


async def test_deployment_makes_replica_sets_and_pods_and_replaces_what_is_deleted(
    api: Api, cluster: ContractCluster
) -> None:
    apps = f"/apis/apps/v1/namespaces/{cluster.namespace}"
    template = pod("unused", container("main", BUSYBOX, *FOREVER))
    template["metadata"] = {"labels": {"app": "deployed"}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "deployed"}}, "template": template}
    template.pop("kind"), template.pop("apiVersion")
    body = {"metadata": {"name": "deployed"}, "spec": spec}
    assert (await api.call("POST", f"{apps}/deployments", body)).status == 201

    first = await running_pods(api, cluster, 1)
    sets = (await api.get(f"{apps}/replicasets?labelSelector=app%3Ddeployed")).json["items"]
    owner = first[0]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("ReplicaSet", sets[0]["metadata"]["name"])
    assert owner["controller"] is True
    above = sets[0]["metadata"]["ownerReferences"][0]
    assert (above["kind"], above["name"]) == ("Deployment", "deployed")
    hashed = first[0]["metadata"]["labels"]["pod-template-hash"]
    assert owner["name"] == f"deployed-{hashed}"

    await api.call("DELETE", f"{cluster.pods}/{first[0]['metadata']['name']}")
    second = await running_pods(api, cluster, 1, other_than=first[0]["metadata"]["uid"])
    assert second[0]["metadata"]["name"] != first[0]["metadata"]["name"]

    scale = {"spec": {"replicas": 2}}
    kind = "application/merge-patch+json"
    await api.call("PATCH", f"{apps}/deployments/deployed/scale", scale, content_type=kind)
    await running_pods(api, cluster, 2)
    await api.call("DELETE", f"{apps}/deployments/deployed")


async def running_pods(
    api: Api, cluster: ContractCluster, count: int, *, other_than: str = ""
) -> list[Any]:
    async with asyncio.timeout(START_SECONDS):
        while True:
            query = "labelSelector=app%3Ddeployed"
            items = (await api.get(f"{cluster.pods}?{query}")).json["items"]
            running = [
                item
                for item in items
                if item["status"].get("phase") == "Running"
                and item["metadata"]["uid"] != other_than
                and "deletionTimestamp" not in item["metadata"]
            ]
            if len(running) == count:
                return running
            await asyncio.sleep(0.1)


async def test_table_is_what_kubectl_prints(api: Api, cluster: ContractCluster) -> None:
    accept = [("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")]

    table = (await api.get(f"{cluster.pods}?labelSelector=app%3Dshells", headers=accept)).json

    assert table["kind"] == "Table"
    names = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert names == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert table["rows"][0]["cells"][:4] == ["shells", "2/2", "Running", "0"]
    assert table["rows"][0]["object"]["metadata"]["name"] == "shells"


@pytest.mark.parametrize(
    ("path", "status", "reason", "message"),
    [
        ("{pods}/nope", 404, "NotFound", 'pods "nope" not found'),
        ("/api/v1/namespaces/nope", 404, "NotFound", 'namespaces "nope" not found'),
        (
            "/apis/apps/v1/namespaces/default/deployments/nope",
            404,
            "NotFound",
            'deployments.apps "nope" not found',
        ),
        ("/api/v1/nope", 404, "NotFound", "the server could not find the requested resource"),
        ("{pods}?fieldSelector=x%3Dy", 400, "BadRequest", "field label not supported: x"),
        (
            "{pods}?watch=1&resourceVersion=abc",
            500,
            None,
            'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": '
            "invalid syntax",
        ),
    ],
)
async def test_errors_are_statuses_in_the_same_words(
    api: Api, cluster: ContractCluster, path: str, status: int, reason: str | None, message: str
) -> None:
    reply = await api.get(path.format(pods=cluster.pods))

    assert (reply.status, reply.content_type) == (status, "application/json")
    assert reply.json["kind"] == "Status"
    assert reply.json["code"] == status
    assert reply.json.get("reason") == reason
    assert reply.message == message


async def test_wrong_methods_names_and_doubles_are_refused(
    api: Api, cluster: ContractCluster
) -> None:
    posted = await api.call("POST", f"{cluster.pods}/shells")
    twice = await api.call("POST", cluster.pods, pod("shells", container("main", BUSYBOX)))
    bad = await api.call("POST", cluster.pods, pod("Bad_", container("main", BUSYBOX)))
    late = {"metadata": {"resourceVersion": "1", "labels": {"x": "y"}}}
    kind = "application/merge-patch+json"
    conflict = await api.call("PATCH", f"{cluster.pods}/shells", late, content_type=kind)

    assert (posted.status, posted.json["reason"]) == (405, "MethodNotAllowed")
    assert (twice.status, twice.json["reason"]) == (409, "AlreadyExists")
    assert twice.message == 'pods "shells" already exists'
    assert (bad.status, bad.json["reason"]) == (422, "Invalid")
    assert bad.json["details"]["causes"][0]["field"] == "metadata.name"
    assert (conflict.status, conflict.json["reason"]) == (409, "Conflict")


async def test_unknown_token_is_unauthorized(api: Api, cluster: ContractCluster) -> None:
    reply = await api.get(cluster.pods, headers=[("Authorization", "Bearer nobody")])

    assert (reply.status, reply.message) == (401, "Unauthorized")
    assert reply.json["reason"] == "Unauthorized"
