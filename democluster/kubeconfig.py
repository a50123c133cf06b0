"""The kubeconfig files that the demo cluster writes for its users."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import yaml

from democluster.auth import ACCOUNTS
from democluster.certificates import write_private

CLUSTER = "demo"
"""Name of the cluster and of the context in every kubeconfig."""


def write_kubeconfigs(
    path: Path, *, server: str, authority: Path, tokens: Mapping[str, str]
) -> None:
    """Write the admin kubeconfig at `path` and one `<path>-<user>` for everybody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, account in ACCOUNTS.items():
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": CLUSTER,
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": base64.b64encode(
                            authority.read_bytes()
                        ).decode(),
                    },
                }
            ],
            "users": [{"name": name, "user": {"token": tokens[name]}}],
            "contexts": [
                {
                    "name": CLUSTER,
                    "context": {
                        "cluster": CLUSTER,
                        "user": name,
                        "namespace": account.namespace,
                    },
                }
            ],
            "current-context": CLUSTER,
        }
        target = path if name == "admin" else path.with_name(f"{path.name}-{name}")
        write_private(target, yaml.safe_dump(config, sort_keys=False).encode())
