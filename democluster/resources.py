"""The resources that the demo cluster serves."""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_VERBS = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object, its kind and the verbs it has."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    """The API group of the kind, where it differs from that of the resource."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object and how it is addressed."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()

    @property
    def group_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name that error messages use, for example `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_kind(self) -> str:
        """The kind of a list of these."""
        return f"{self.kind}List"


_STATUS_VERBS = ("get", "patch", "update")
_SCALE = Subresource("scale", "Scale", _STATUS_VERBS, "autoscaling")

PODS = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    short_names=("po",),
    categories=("all",),
    subresources=(
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("ephemeralcontainers", "Pod", _STATUS_VERBS),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", "Pod", ("get",)),
        Subresource("status", "Pod", ("get",)),
    ),
)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False, short_names=("ns",))
NODES = Resource("", "v1", "nodes", "Node", namespaced=False, short_names=("no",), verbs=READ_VERBS)
EVENTS = Resource("", "v1", "events", "Event", short_names=("ev",))
SERVICES = Resource("", "v1", "services", "Service", short_names=("svc",), categories=("all",))
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",))
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", short_names=("sa",))
DEPLOYMENTS = Resource(
    "apps",
    "v1",
    "deployments",
    "Deployment",
    short_names=("deploy",),
    categories=("all",),
    subresources=(_SCALE, Subresource("status", "Deployment", ("get",))),
)
REPLICA_SETS = Resource(
    "apps",
    "v1",
    "replicasets",
    "ReplicaSet",
    short_names=("rs",),
    categories=("all",),
    subresources=(_SCALE, Subresource("status", "ReplicaSet", ("get",))),
)
DAEMON_SETS = Resource(
    "apps",
    "v1",
    "daemonsets",
    "DaemonSet",
    short_names=("ds",),
    categories=("all",),
    subresources=(Subresource("status", "DaemonSet", ("get",)),),
)
STATEFUL_SETS = Resource(
    "apps",
    "v1",
    "statefulsets",
    "StatefulSet",
    short_names=("sts",),
    categories=("all",),
    verbs=READ_VERBS,
)
JOBS = Resource("batch", "v1", "jobs", "Job", categories=("all",), verbs=READ_VERBS)
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob", short_names=("cj",), verbs=READ_VERBS)
_RBAC = "rbac.authorization.k8s.io"
ROLES = Resource(_RBAC, "v1", "roles", "Role")
ROLE_BINDINGS = Resource(_RBAC, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    _RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
_AUTHORIZATION = "authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
REVIEWS = (
    Resource(
        _AUTHORIZATION,
        "v1",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        verbs=("create",),
    ),
    Resource(
        _AUTHORIZATION,
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        verbs=("create",),
    ),
    Resource(
        _AUTHORIZATION,
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        namespaced=False,
        verbs=("create",),
    ),
    Resource(
        _AUTHORIZATION,
        "v1",
        "subjectaccessreviews",
        "SubjectAccessReview",
        namespaced=False,
        verbs=("create",),
    ),
    Resource(
        _AUTHENTICATION,
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        namespaced=False,
        verbs=("create",),
    ),
)
"""Questions that are answered and not stored."""

STORED: tuple[Resource, ...] = (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    DAEMON_SETS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    CRON_JOBS,
    JOBS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
)

_BY_PATH = {(item.group, item.version, item.plural): item for item in (*STORED, *REVIEWS)}
GROUP_VERSIONS = tuple(dict.fromkeys((item.group, item.version) for item in (*STORED, *REVIEWS)))


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource at that path, or None."""
    return _BY_PATH.get((group, version, plural))


def of_group_version(group: str, version: str) -> tuple[Resource, ...]:
    """Return the resources of one group version, in the order of their names."""
    found = (item for (g, v, _), item in _BY_PATH.items() if (g, v) == (group, version))
    return tuple(sorted(found, key=lambda item: item.plural))
