"""What an API server adds to a pod that somebody made, and what it refuses."""

from __future__ import annotations

import re

from democluster.objects import JsonObject
from democluster.status import invalid

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
MAX_NAME_LENGTH = 253

Cause = tuple[str, str, str]


def check_name(kind: str, name: str, group: str = "") -> None:
    """Raise ApiError 422 for a name that no object may have."""
    if not name:
        cause = ("FieldValueRequired", "metadata.name", "name or generateName is required")
        raise invalid(kind, name, (cause[0], cause[1], f"Required value: {cause[2]}"), group=group)
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        message = f'Invalid value: "{name}": {_NAME_RULE}'
        raise invalid(kind, name, ("FieldValueInvalid", "metadata.name", message), group=group)


def complete_pod(pod: JsonObject) -> None:
    """Check a new pod and fill in its defaults. Raises ApiError 422."""
    spec: JsonObject = pod.setdefault("spec", {})
    causes: list[Cause] = []
    if not spec.get("containers"):
        causes.append(("FieldValueRequired", "spec.containers", "Required value"))
    taken: set[str] = set()
    for number, container in enumerate(spec.get("containers") or []):
        causes += _container_causes(container, f"spec.containers[{number}]", taken)
        complete_container(container)
    if causes:
        raise invalid("Pod", pod["metadata"].get("name", ""), *causes)
    for key, value in {
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
    }.items():
        spec.setdefault(key, value)
    pod["metadata"].setdefault("generation", 1)
    pod["status"] = {"phase": "Pending", "qosClass": _quality(spec)}


def complete_container(container: JsonObject) -> None:
    """Fill in the defaults of one container."""
    image = str(container.get("image", ""))
    latest = ":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest")
    container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")


def check_ephemeral_containers(pod: JsonObject, before: JsonObject) -> None:
    """Raise ApiError 422 unless the pod differs from `before` only by new ephemeral containers."""
    spec = pod["spec"]
    old = before["spec"].get("ephemeralContainers") or []
    new = spec.get("ephemeralContainers") or []
    targets = {container["name"] for container in spec["containers"]}
    taken, causes = set(targets), list[Cause]()
    for number, container in enumerate(new):
        field = f"spec.ephemeralContainers[{number}]"
        causes += _container_causes(container, field, taken)
        target = container.get("targetContainerName")
        if target and target not in targets:
            at = f"{field}.targetContainerName"
            causes.append(("FieldValueNotFound", at, f'Not found: "{target}"'))
        complete_container(container)
    if new[: len(old)] != old:
        message = "Forbidden: existing ephemeral containers may not be changed or removed"
        causes.append(("FieldValueForbidden", "spec.ephemeralContainers", message))
    if causes:
        raise invalid("Pod", pod["metadata"]["name"], *causes)


def _container_causes(container: JsonObject, field: str, taken: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    name = container.get("name", "")
    if not name:
        causes.append(("FieldValueRequired", f"{field}.name", "Required value"))
    elif not _LABEL.fullmatch(name):
        message = f'Invalid value: "{name}": {_LABEL_RULE}'
        causes.append(("FieldValueInvalid", f"{field}.name", message))
    elif name in taken:
        causes.append(("FieldValueDuplicate", f"{field}.name", f'Duplicate value: "{name}"'))
    taken.add(name)
    if not container.get("image"):
        causes.append(("FieldValueRequired", f"{field}.image", "Required value"))
    return causes


def _quality(spec: JsonObject) -> str:
    resources = [container.get("resources") or {} for container in spec["containers"]]
    if not any(resource.get("requests") or resource.get("limits") for resource in resources):
        return "BestEffort"
    equal = all(
        resource.get("limits")
        and resource.get("requests", resource["limits"]) == resource["limits"]
        for resource in resources
    )
    return "Guaranteed" if equal else "Burstable"
