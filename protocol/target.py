"""A target: one container, named by cluster, namespace, pod and container."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError

MAX_CLUSTER_LENGTH = 63
"""Characters of a cluster's name: it is ours to choose and stands in addresses."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123 label
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CLUSTER = re.compile(r"[a-z0-9]([-a-z0-9_.]*[a-z0-9])?")
MAX_SUBDOMAIN_LENGTH = 253


class InvalidTarget(PeerVisibleError):
    """A part of a target is not a name that Kubernetes could have given."""

    code = "invalid_target"
    close_code = CloseCode.BAD_FRAME


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One container. Parse with `Target.of`; the constructor does not check."""

    cluster: str
    namespace: str
    pod: str
    container: str

    @classmethod
    def of(cls, cluster: object, namespace: object, pod: object, container: object) -> Target:
        """Return the target after checking every part (RFC 1123 names, no leading dash).

        Raises InvalidTarget, which names the part.
        """
        return cls(
            _checked("cluster", cluster, _CLUSTER, MAX_CLUSTER_LENGTH),
            _checked("namespace", namespace, _LABEL, 63),
            _checked("pod", pod, _SUBDOMAIN, MAX_SUBDOMAIN_LENGTH),
            _checked("container", container, _LABEL, 63),
        )

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target that `cluster/namespace/pod/container` names. Raises InvalidTarget."""
        parts = text.split("/")
        if len(parts) != 4:
            raise InvalidTarget(
                "A target has four parts: cluster/namespace/pod/container.", part="target"
            )
        return cls.of(*parts)

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.pod}/{self.container}"


def check_cluster(name: object) -> str:
    """Return `name` if it is a cluster name. Raises InvalidTarget."""
    return _checked("cluster", name, _CLUSTER, MAX_CLUSTER_LENGTH)


def check_namespace(name: object) -> str:
    """Return `name` if it is a namespace name. Raises InvalidTarget."""
    return _checked("namespace", name, _LABEL, 63)


def check_pod(name: object) -> str:
    """Return `name` if it is a pod name. Raises InvalidTarget."""
    return _checked("pod", name, _SUBDOMAIN, MAX_SUBDOMAIN_LENGTH)


def _checked(part: str, value: object, pattern: re.Pattern[str], longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
        raise InvalidTarget(f"The {part} name is not a valid Kubernetes name.", part=part)
    return value
