"""What an API server says about itself: version, groups, resources."""

from __future__ import annotations

import platform

from democluster import resources
from democluster.objects import JsonObject
from democluster.resources import Resource

VERSION = "v1.35.4"
"""The Kubernetes version whose behaviour the demo cluster shows."""


def version_info() -> JsonObject:
    """Return the answer of /version."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": "1",
        "minor": "35",
        "gitVersion": VERSION,
        "gitCommit": "democluster",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": f"linux/{machine}",
    }


def api_versions(address: str) -> JsonObject:
    """Return the answer of /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def api_groups() -> JsonObject:
    """Return the answer of /apis."""
    groups = [_group(group, version) for group, version in resources.GROUP_VERSIONS if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(name: str) -> JsonObject | None:
    """Return the answer of /apis/<name>, or None for a group that is not served."""
    for group, version in resources.GROUP_VERSIONS:
        if group and group == name:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, version)}
    return None


def api_resources(group: str, version: str) -> JsonObject | None:
    """Return the resource list of a group version, or None for one that is not served."""
    found = resources.of_group_version(group, version)
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def openapi_index() -> JsonObject:
    """Return the answer of /openapi/v3: where the document of each group version is."""
    paths = (
        f"apis/{group}/{version}" if group else f"api/{version}"
        for group, version in resources.GROUP_VERSIONS
    )
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}


def openapi_document(group: str, version: str) -> JsonObject | None:
    """Return what kubectl needs of an OpenAPI document: that the server checks fields itself."""
    found = resources.of_group_version(group, version)
    if not found:
        return None
    prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return {
        "openapi": "3.0.0",
        "info": {"title": "demo cluster", "version": VERSION},
        "paths": {
            f"{prefix}/{resource.plural}/{{name}}": {
                "patch": {
                    "parameters": [{"name": "fieldValidation", "in": "query"}],
                    "responses": {},
                    "x-kubernetes-group-version-kind": {
                        "group": group,
                        "version": version,
                        "kind": resource.kind,
                    },
                }
            }
            for resource in found
        },
    }


def _group(group: str, version: str) -> JsonObject:
    named = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [named], "preferredVersion": named}


def _entries(resource: Resource) -> list[JsonObject]:
    entry: JsonObject = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    entries = [entry]
    for item in resource.subresources:
        below: JsonObject = {
            "name": f"{resource.plural}/{item.name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": item.kind,
            "verbs": list(item.verbs),
        }
        if item.group:
            below |= {"group": item.group, "version": "v1"}
        entries.append(below)
    return entries
