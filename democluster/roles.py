"""The roles and bindings that the demo cluster starts with."""

from __future__ import annotations

from democluster.objects import JsonObject
from democluster.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    Resource,
)

READ = ["get", "list", "watch"]
_RBAC = "rbac.authorization.k8s.io"


def roles() -> list[tuple[Resource, JsonObject]]:
    """Return every role and binding, each with its resource."""
    return [
        *(_cluster_role(name, rules) for name, rules in _ROLES.items()),
        _cluster_binding("cluster-admin", "cluster-admin", "Group", "system:masters"),
        _cluster_binding("system:basic-user", "system:basic-user", "Group", "system:authenticated"),
        _cluster_binding("system:discovery", "system:discovery", "Group", "system:authenticated"),
        _cluster_binding(
            "system:public-info-viewer",
            "system:public-info-viewer",
            "Group",
            "system:authenticated",
            "system:unauthenticated",
        ),
        _cluster_binding("app-impersonates", "impersonator", "User", "app"),
        _binding("team-a", "default", "pod-operator"),
        _binding("team-a", "shop", "pod-operator"),
        _binding("team-b", "shop", "view"),
    ]


_ROLES: dict[str, list[JsonObject]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "system:basic-user": [
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["selfsubjectreviews"],
            "verbs": ["create"],
        },
    ],
    "system:discovery": [
        {
            "nonResourceURLs": [
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/healthz",
                "/livez",
                "/openapi",
                "/openapi/*",
                "/readyz",
                "/version",
                "/version/",
            ],
            "verbs": ["get"],
        }
    ],
    "system:public-info-viewer": [
        {
            "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"],
            "verbs": ["get"],
        }
    ],
    "pod-operator": [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": READ},
        {"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": ["get", "create"]},
    ],
    "view": [
        {
            "apiGroups": [""],
            "resources": ["configmaps", "pods", "services", "serviceaccounts"],
            "verbs": READ,
        },
        {
            "apiGroups": [""],
            "resources": ["pods/log", "pods/status", "namespaces/status"],
            "verbs": READ,
        },
        {"apiGroups": [""], "resources": ["namespaces", "events"], "verbs": READ},
        {
            "apiGroups": ["apps"],
            "resources": [
                "daemonsets",
                "daemonsets/status",
                "deployments",
                "deployments/scale",
                "deployments/status",
                "replicasets",
                "replicasets/scale",
                "replicasets/status",
                "statefulsets",
                "statefulsets/status",
            ],
            "verbs": READ,
        },
        {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": READ},
    ],
    "impersonator": [
        {"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": READ},
    ],
}


def _cluster_role(name: str, rules: list[JsonObject]) -> tuple[Resource, JsonObject]:
    return CLUSTER_ROLES, {"metadata": {"name": name}, "rules": rules}


def _cluster_binding(
    name: str, role: str, kind: str, *subjects: str
) -> tuple[Resource, JsonObject]:
    return CLUSTER_ROLE_BINDINGS, {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": item} for item in subjects],
    }


def _binding(group: str, namespace: str, role: str) -> tuple[Resource, JsonObject]:
    return ROLE_BINDINGS, {
        "metadata": {"name": group, "namespace": namespace},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
    }
