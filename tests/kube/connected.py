"""A connection to one cluster for the length of a block."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Any

from kube.connection import ClusterConfig, ClusterConnection
from kube.credentials import KubeconfigSource
from kube.kubeconfig import Context


def connected(
    cluster: dict[str, Any], user: dict[str, Any], directory: Path
) -> aclosing[ClusterConnection]:
    """Connect as an operator's kubeconfig in `directory` says."""
    return connected_to(Context("it", cluster, user, "f", directory))


def connected_to(context: Context) -> aclosing[ClusterConnection]:
    """Connect to a context."""
    return aclosing(ClusterConnection(ClusterConfig("it"), KubeconfigSource(context)))
