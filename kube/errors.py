"""What goes wrong between Hatchway and a cluster, and what a person is told about it.

KubeError
├── BadKubeconfig    a kubeconfig cannot be used; names the file, the context and the field
├── CredentialsError credentials could not be got (a plugin failed, a file is gone)
├── Unreachable      the API server did not answer
└── ApiRefused       the API server answered with an error

Inside `kube/` these are raised; over its border go `protocol.refusal.StreamRefused` (made by
`refused`) and, when Hatchway is configured, `BadKubeconfig`.
"""

from __future__ import annotations

import re
from typing import Any

from protocol.execution import Refusal, Refused
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused
from protocol.remotecommand import shown_message

_RBAC = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)"'
    r'(?:.* in the namespace "(?P<namespace>[^"]*)")?'
)
_REASONLESS = re.compile(r"^pods \"[^\"]*\" is forbidden:\s*$")
_NOT_RUNNING = re.compile(r"container not found \(|container \S+ not found in pod")
_WRONG_CONTAINER = re.compile(
    r"container \S+ is not valid for pod|a container name must be specified"
    r"|container \S+ not found"
)


class KubeError(Exception):
    """Something went wrong between Hatchway and a cluster."""


class BadKubeconfig(KubeError):
    """A kubeconfig cannot be used."""

    def __init__(self, why: str, *, source: str, context: str = "", field: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.source = source
        self.context = context
        self.field = field

    def __str__(self) -> str:
        place = f", context {self.context!r}" if self.context else ""
        field = f", field {self.field!r}" if self.field else ""
        return f"The kubeconfig {self.source}{place}{field} cannot be used: {self.why}"


class CredentialsError(KubeError):
    """The credentials for a cluster could not be got."""


class Unreachable(KubeError):
    """The API server did not answer."""


class ApiRefused(KubeError):
    """The API server answered with an error: its HTTP status and, mostly, a Status object."""

    def __init__(
        self, status: int, *, reason: str = "", message: str = "", details: Any = None
    ) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details: dict[str, Any] = details if isinstance(details, dict) else {}

    def __str__(self) -> str:
        return f"The API server answered {self.status} {self.reason}: {self.message}"


def refused(error: KubeError, *, subresource: str = "") -> StreamRefused:
    """Return the error that a person may see for one that Hatchway got from a cluster.

    `subresource` is what was asked for (`exec`, `attach` or nothing for the pod itself).
    """
    return StreamRefused(_refusal(error, subresource))


def _refusal(error: KubeError, subresource: str) -> Refused:
    if not isinstance(error, ApiRefused):
        if isinstance(error, CredentialsError):
            return Refused(Refusal.UNAUTHORIZED, str(error))
        return Refused(Refusal.CLUSTER_UNREACHABLE, str(error))
    resource = f"pods/{subresource}" if subresource else "pods"
    if error.status == 403 and error.message:
        because = _missing_right(error.message, resource)
        return Refused(Refusal.FORBIDDEN, str(because), error.status, because)
    kind, message = _explain(error)
    return Refused(kind, message, error.status)


def _explain(error: ApiRefused) -> tuple[Refusal, str]:
    text = error.message
    shown = shown_message(text) or f"HTTP {error.status} without a reason"
    match error.status:
        case 401:
            return (
                Refusal.UNAUTHORIZED,
                "The cluster does not accept Hatchway's credentials; tell the administrator.",
            )
        case 403:
            return (
                Refusal.SUBPROTOCOL,
                "The cluster speaks neither v5 nor v4 of the exec protocol; it is too old.",
            )
        case 404 if _WRONG_CONTAINER.search(text):
            return Refusal.CONTAINER_NOT_FOUND, "The pod has no container of that name."
        case 404:
            return Refusal.POD_NOT_FOUND, f"The pod does not exist (any more): {shown}"
        case 400 if "does not have a host assigned" in text:
            return Refusal.NOT_SCHEDULED, "The pod waits for a node to run on; try again later."
        case _ if _NOT_RUNNING.search(text):
            return Refusal.CONTAINER_NOT_RUNNING, "The container is not running."
        case 400 if _WRONG_CONTAINER.search(text):
            return Refusal.CONTAINER_NOT_FOUND, "The pod has no container of that name."
        case status if status >= 500 and ("dialing backend" in text or "dial tcp" in text):
            return Refusal.NODE_UNREACHABLE, f"The node of the pod does not answer: {shown}"
        case 429 | 502 | 503 | 504:
            return Refusal.CLUSTER_UNREACHABLE, f"The cluster cannot answer now: {shown}"
        case _:
            return Refusal.OTHER, f"The cluster refused: {shown}"


def _missing_right(text: str, resource: str) -> Reason:
    if _REASONLESS.match(text):
        return Reason.of(ReasonCode.RBAC_ANYBODY, verb="create", resource=resource)
    if (rbac := _RBAC.search(text)) is None:
        return Reason.of(ReasonCode.CLUSTER_RULE, detail=shown_message(text))
    missing = {"verb": rbac["verb"], "resource": rbac["resource"], "user": rbac["user"]}
    if rbac["namespace"]:
        return Reason(ReasonCode.RBAC, {**missing, "namespace": rbac["namespace"]})
    return Reason(ReasonCode.RBAC_EVERYWHERE, missing)
