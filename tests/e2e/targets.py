"""What there is in a cluster, asked directly, so that a test knows what to click."""

from __future__ import annotations

import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import yaml


def pods(kubeconfig: Path, namespace: str) -> list[dict[str, Any]]:
    """Return the pods of a namespace as the cluster describes them to its administrator."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    if "certificate-authority-data" in cluster:
        import base64

        context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
    else:
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    request = urllib.request.Request(
        f"{cluster['server']}/api/v1/namespaces/{namespace}/pods",
        headers={"Authorization": f"Bearer {user['token']}"},
    )
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["items"]
    return found


def first_target(kubeconfig: Path, cluster: str, namespace: str, prefix: str = "web") -> str:
    """Return cluster/namespace/pod/container of the first running pod named like `prefix`."""
    for pod in pods(kubeconfig, namespace):
        name = pod["metadata"]["name"]
        if name.startswith(prefix) and pod["status"]["phase"] == "Running":
            return f"{cluster}/{namespace}/{name}/{pod['spec']['containers'][0]['name']}"
    raise AssertionError(f"no running pod named {prefix}… in {namespace}")
