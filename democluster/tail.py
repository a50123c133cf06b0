"""The log endpoint: `GET …/pods/{name}/log`."""

from __future__ import annotations

import time
from collections.abc import Mapping

from aiohttp import web

from democluster.kubelet import Kubelet
from democluster.logs import ContainerLog, LogQuery
from democluster.objects import parse_time
from democluster.requests import ApiRequest
from democluster.status import bad_request, invalid, method_not_allowed
from democluster.store import Store
from democluster.target import PodContainer, find_target


async def read_log(
    store: Store, kubelets: Mapping[str, Kubelet], request: ApiRequest
) -> web.StreamResponse:
    """Answer with the log of a container. Raises ApiError."""
    if request.verb != "get":
        raise method_not_allowed()
    query = _query(request)
    target = find_target(store, request)
    log = _log_of(target, kubelets, previous=request.flag("previous"))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request.http)
    async for text in log.read(query):
        await response.write(text)
    await response.write_eof()
    return response


def _log_of(
    target: PodContainer, kubelets: Mapping[str, Kubelet], *, previous: bool
) -> ContainerLog:
    kubelet = kubelets.get(target.node)
    slot = kubelet.slot(target.uid, target.name) if kubelet else None
    pod = target.pod["metadata"]["name"]
    if slot is not None and previous:
        # While the container waits for its restart, the run that ended is the previous one too.
        found = slot.previous_log if "running" in slot.state else slot.log
        if found is None or (found is slot.log and slot.container is None):
            raise bad_request(
                f'previous terminated container "{target.name}" in pod "{pod}" not found'
            )
        return found
    if slot is None or slot.log is None:
        reason = slot.state["waiting"]["reason"] if slot else "ContainerCreating"
        raise bad_request(f'container "{target.name}" in pod "{pod}" is waiting to start: {reason}')
    return slot.log


def _query(request: ApiRequest) -> LogQuery:
    tail = _number(request, "tailLines")
    limit = _number(request, "limitBytes")
    seconds = _number(request, "sinceSeconds")
    moment = request.http.query.get("sinceTime", "")
    since: int | None = None
    if moment:
        try:
            since = int(parse_time(moment).timestamp())
        except ValueError:
            shape = "2006-01-02T15:04:05Z07:00"
            raise bad_request(
                f'parsing time "{moment}" as "{shape}": cannot parse "{moment}" as "2006"'
            ) from None
    if "stream" in request.http.query:
        raise _invalid(request, "FieldValueForbidden", "stream", "Forbidden: may not be specified")
    if tail is not None and tail < 0:
        raise _too_small(request, "tailLines", tail, "must be greater than or equal to 0")
    for field, value in (("limitBytes", limit), ("sinceSeconds", seconds)):
        if value is not None and value <= 0:
            raise _too_small(request, field, value, "must be greater than 0")
    if seconds is not None:
        if moment:
            message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
            raise _invalid(request, "FieldValueForbidden", "[]", message)
        since = int(time.time()) - seconds
    return LogQuery(request.flag("follow"), request.flag("timestamps"), tail, since, limit)


def _number(request: ApiRequest, name: str) -> int | None:
    text = request.http.query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _too_small(request: ApiRequest, field: str, value: int, rule: str) -> Exception:
    return _invalid(request, "FieldValueInvalid", field, f"Invalid value: {value}: {rule}")


def _invalid(request: ApiRequest, reason: str, field: str, message: str) -> Exception:
    return invalid("PodLogOptions", request.name, (reason, field, message))
