"""Create, read, change and delete stored objects."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from democluster import protobuf, table
from democluster.controllers import delete_pod, remove
from democluster.defaults import check_ephemeral_containers, check_name, complete_pod
from democluster.objects import JsonObject, random_suffix
from democluster.patch import MERGE, STRATEGIC, apply_patch
from democluster.requests import ApiRequest
from democluster.resources import (
    DAEMON_SETS,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    Resource,
)
from democluster.selectors import Predicate, field_selector, label_selector
from democluster.status import (
    ApiError,
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    no_such_resource,
    not_found,
    unsupported_media_type,
)
from democluster.store import Key, Store

_WORKLOADS = (DEPLOYMENTS, REPLICA_SETS, DAEMON_SETS)
_SPEC_IS_FIXED = (PODS, NODES)


async def handle(store: Store, request: ApiRequest) -> web.StreamResponse:
    """Answer a request for stored objects. Raises ApiError."""
    if request.subresource == "scale":
        return await _scale(store, request)
    if request.subresource == "ephemeralcontainers":
        return await _ephemeral_containers(store, request)
    if request.subresource not in ("", "status"):
        raise no_such_resource()
    if request.verb not in request.resource.verbs or (
        request.subresource and request.verb != "get"
    ):
        raise method_not_allowed()
    match request.verb:
        case "get":
            found = store.get(request.resource, request.namespace, request.name)
            return answer(request, found)
        case "list":
            return _list(store, request)
        case "create":
            return await _create(store, request)
        case "update" | "patch":
            return await _change(store, request)
        case "delete":
            return await _delete(store, request)
        case "deletecollection":
            wanted = predicate(request)
            for item in store.list(request.resource, request.namespace):
                if wanted(item):
                    remove(store, request.resource, item)
            return _list(store, request)
        case _:
            raise method_not_allowed()


def predicate(request: ApiRequest) -> Predicate:
    """Return what the selectors of a request let through. Raises ApiError 400."""
    query = request.http.query
    labels = label_selector(query.get("labelSelector", ""))
    fields = field_selector(query.get("fieldSelector", ""), request.resource.kind)
    return lambda item: labels(item) and fields(item)


def wants_table(http: web.Request) -> bool:
    """Tell whether the client prefers a Table."""
    return "as=Table" in http.headers.get("Accept", "").split(",")[0]


def answer(request: ApiRequest, body: JsonObject, status: int = 200) -> web.Response:
    """Return one object in the form that the client asked for."""
    if wants_table(request.http) and "metadata" in body and body["kind"] != "Status":
        version = body["metadata"].get("resourceVersion", "")
        body = table.table_of(body["kind"], [body], {"resourceVersion": version})
    return reply(request.http, body, status)


def reply(http: web.Request, body: JsonObject, status: int = 200) -> web.Response:
    """Return a JSON answer, or YAML where only that is accepted."""
    accepted = http.headers.get("Accept", "")
    if "yaml" in accepted and "json" not in accepted:
        return web.Response(
            text=yaml.safe_dump(body), status=status, content_type="application/yaml"
        )
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n"
    return web.Response(
        body=text.encode(), status=status, headers={"Content-Type": "application/json"}
    )


def _list(store: Store, request: ApiRequest) -> web.Response:
    asked = request.http.query.get("resourceVersion", "")
    if asked.isdigit() and int(asked) > store.version:
        raise _too_new(int(asked), store.version)
    wanted = predicate(request)
    items = [item for item in store.list(request.resource, request.namespace) if wanted(item)]
    metadata: JsonObject = {"resourceVersion": str(store.version)}
    items, more = _page(items, request)
    metadata |= more
    if wants_table(request.http):
        kind = request.resource.kind
        return reply(request.http, table.table_of(kind, items, metadata))
    # Items of a list carry no kind of their own.
    bare = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in items]
    resource = request.resource
    return reply(
        request.http,
        {
            "kind": resource.list_kind,
            "apiVersion": resource.group_version,
            "metadata": metadata,
            "items": bare,
        },
    )


def _page(items: list[JsonObject], request: ApiRequest) -> tuple[list[JsonObject], JsonObject]:
    query = request.http.query
    limit = query.get("limit", "0")
    start = query.get("continue", "0")
    if not (limit.isdigit() and start.isdigit()):
        raise bad_request("limit and continue must be those of this server")
    begin, size = int(start), int(limit)
    if not size or begin + size >= len(items):
        return items[begin:], {}
    rest = len(items) - begin - size
    more = {"continue": str(begin + size), "remainingItemCount": rest}
    return items[begin : begin + size], more


async def _create(store: Store, request: ApiRequest) -> web.Response:
    if request.name:
        raise method_not_allowed()
    resource, body = request.resource, await read_body(request.http)
    metadata = body.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + random_suffix()
    check_name(resource.kind, metadata.get("name", ""), resource.group)
    if resource.namespaced:
        if metadata.setdefault("namespace", request.namespace) != request.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        parent = store.find(NAMESPACES, "", request.namespace)
        if parent is None:
            raise not_found(NAMESPACES, request.namespace)
        if parent["metadata"].get("deletionTimestamp"):
            raise _terminating(resource, metadata["name"], request.namespace)
    _complete(resource, body)
    if request.http.query.get("dryRun"):
        return answer(request, _stamp(resource, body), 201)
    return answer(request, store.create(resource, body), 201)


async def _change(store: Store, request: ApiRequest) -> web.Response:
    resource = request.resource
    key = (request.namespace, request.name)
    before = store.get(resource, *key)
    after = await _changed(request, before)
    _check_version(resource, before, after)
    if resource in _SPEC_IS_FIXED:
        after["spec"], after["status"] = before["spec"], before["status"]

    def change(item: JsonObject) -> None:
        fixed = {
            name: item["metadata"].get(name)
            for name in ("uid", "creationTimestamp", "name", "namespace", "generation")
        }
        item.clear()
        item.update(after)
        item["metadata"] |= {name: value for name, value in fixed.items() if value is not None}

    return answer(request, store.update(resource, key, change))


async def _changed(request: ApiRequest, before: JsonObject) -> JsonObject:
    body = await read_body(request.http)
    if request.verb == "update":
        return body
    content_type = request.http.content_type
    if content_type not in (MERGE, STRATEGIC):
        raise unsupported_media_type()
    return apply_patch(before, body, content_type)


async def _delete(store: Store, request: ApiRequest) -> web.Response:
    resource = request.resource
    found = store.get(resource, request.namespace, request.name)
    options = await read_body(request.http) if request.http.can_read_body else {}
    wanted_uid = (options.get("preconditions") or {}).get("uid")
    if wanted_uid and wanted_uid != found["metadata"]["uid"]:
        raise conflict(resource, request.name)
    if resource is PODS:
        grace = request.http.query.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
        return answer(request, delete_pod(store, found, None if grace is None else int(grace)))
    gone = remove(store, resource, found)
    if resource is NAMESPACES:
        return answer(request, gone)
    details = {"name": request.name, "kind": resource.plural, "uid": found["metadata"]["uid"]}
    if resource.group:
        details["group"] = resource.group
    success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return answer(request, success | {"details": details})


async def _scale(store: Store, request: ApiRequest) -> web.Response:
    if request.resource not in (DEPLOYMENTS, REPLICA_SETS):
        raise no_such_resource()
    key: Key = (request.namespace, request.name)
    found = store.get(request.resource, *key)
    if request.verb in ("update", "patch"):
        after = await _changed(request, _scale_of(found))
        replicas = (after.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            message = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise invalid("Scale", request.name, ("FieldValueInvalid", "spec.replicas", message))

        def change(item: JsonObject) -> None:
            item["spec"]["replicas"] = replicas

        found = store.update(request.resource, key, change)
    elif request.verb != "get":
        raise method_not_allowed()
    return reply(request.http, _scale_of(found))


async def _ephemeral_containers(store: Store, request: ApiRequest) -> web.Response:
    if request.resource is not PODS:
        raise no_such_resource()
    key: Key = (request.namespace, request.name)
    before = store.get(PODS, *key)
    if request.verb in ("update", "patch"):
        after = await _changed(request, before)
        _check_version(PODS, before, after)
        check_ephemeral_containers(after, before)

        def change(item: JsonObject) -> None:
            item["spec"]["ephemeralContainers"] = after["spec"].get("ephemeralContainers") or []

        return answer(request, store.update(PODS, key, change))
    if request.verb != "get":
        raise method_not_allowed()
    return answer(request, before)


async def read_body(http: web.Request) -> JsonObject:
    """Return the JSON or YAML object in a request. Raises ApiError 400 or 415."""
    raw = await http.read()
    if not raw:
        return {}
    if http.content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(raw)
    if http.content_type not in (
        "application/json",
        "application/yaml",
        "application/octet-stream",
        MERGE,
        STRATEGIC,
    ):
        raise unsupported_media_type()
    try:
        body: Any = yaml.safe_load(raw) if "yaml" in http.content_type else json.loads(raw)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(_decoding_failed(raw, error)) from error
    if not isinstance(body, dict):
        raise bad_request("the body must be an object")
    return body


def _decoding_failed(raw: bytes, error: Exception) -> str:
    if (
        isinstance(error, json.JSONDecodeError)
        and error.pos >= len(raw.decode(errors="replace")) - 1
    ):
        return "unexpected end of JSON input"
    return f"the body cannot be decoded: {error}"


def _complete(resource: Resource, body: JsonObject) -> None:
    """Fill in what the API server adds to a new object."""
    if resource is PODS:
        complete_pod(body)
    elif resource is NAMESPACES:
        body |= {"status": {"phase": "Active"}}
    elif resource in _WORKLOADS:
        body["metadata"].setdefault("generation", 1)
        spec = body.setdefault("spec", {})
        if not (spec.get("selector") and spec.get("template", {}).get("metadata")):
            cause = ("FieldValueRequired", "spec.selector", "Required value")
            raise invalid(resource.kind, body["metadata"]["name"], cause, group=resource.group)
        if resource is not DAEMON_SETS:
            spec.setdefault("replicas", 1)
        body["status"] = {}


def _stamp(resource: Resource, body: JsonObject) -> JsonObject:
    return {**body, "kind": resource.kind, "apiVersion": resource.group_version}


def _check_version(resource: Resource, before: JsonObject, after: JsonObject) -> None:
    asked = after.get("metadata", {}).get("resourceVersion")
    if asked and asked != before["metadata"]["resourceVersion"]:
        raise conflict(resource, before["metadata"]["name"])


def _scale_of(item: JsonObject) -> JsonObject:
    labels = item["spec"].get("selector", {}).get("matchLabels") or {}
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: item["metadata"][name] for name in names},
        "spec": {"replicas": item["spec"]["replicas"]},
        "status": {
            "replicas": item.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def _too_new(asked: int, current: int) -> ApiError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def _terminating(resource: Resource, name: str, namespace: str) -> ApiError:
    message = (
        f'{resource.qualified} "{name}" is forbidden: unable to create new content in namespace '
        f"{namespace} because it is being terminated"
    )
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    details = {"name": name, "kind": resource.plural, "causes": [cause]}
    return ApiError(403, "Forbidden", message, details)
