"""The clusters that Hatchway knows: every context of the configured kubeconfigs, and its own.

A cluster's name is its context's name made fit for addresses. Grants are given to names, so a
name never moves from one context to another while the process lives: of two contexts that would
have the same name the first keeps it, and the other one gets a suffix made of its origin.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kube.connection import ClusterConfig, ClusterConnection, IdentityMode
from kube.credentials import (
    SERVICE_ACCOUNT,
    CredentialSource,
    FileStamp,
    InClusterSource,
    KubeconfigSource,
)
from kube.errors import BadKubeconfig
from kube.kubeconfig import Context, load_untrusted, read_contexts, read_untrusted
from protocol.execution import Refusal, Refused
from protocol.refusal import StreamRefused
from protocol.target import MAX_CLUSTER_LENGTH

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
"""How often the kubeconfigs' stamps are compared, when somebody asks for a cluster."""

_UNFIT = re.compile(r"[^a-z0-9._-]+")
_SUFFIX_LENGTH = 6  # hexadecimal digits; collisions are between a handful of contexts


class Clusters:
    """All clusters of this process, and the one connection to each.

    An async context manager; leaving it closes every connection. Changed kubeconfigs are noticed
    when clusters are asked for: contexts appear and disappear, and credentials are replaced. The
    streams of a context that disappeared go on until they end.
    """

    def __init__(
        self,
        kubeconfigs: Sequence[Path],
        *,
        untrusted: Sequence[Path] = (),
        in_cluster: str | None = None,
        default_identity: IdentityMode = IdentityMode.SERVICE_ACCOUNT,
        identities: Mapping[str, IdentityMode] | None = None,
        service_account: Path = SERVICE_ACCOUNT,
    ) -> None:
        """Read the kubeconfigs. Raises BadKubeconfig when one of them cannot be read.

        `untrusted` are files whose authors are not the operator (a secret that a team fills, say):
        one that would run a program or read a file is left out whole, and `problems` says why.
        `in_cluster` is the name under which the cluster in which Hatchway runs is known;
        `identities` gives the identity mode of single clusters by their final name.
        """
        self._paths = [Path(path) for path in kubeconfigs]
        self._untrusted = [Path(path) for path in untrusted]
        self._in_cluster = in_cluster
        self._default_identity = default_identity
        self._identities = dict(identities or {})
        self._service_account = service_account
        self._names: dict[tuple[str, str], str] = {}
        self._sources: dict[str, CredentialSource] = {}
        self._configs: dict[str, ClusterConfig] = {}
        self._connections: dict[str, ClusterConnection] = {}
        self._stamps: list[FileStamp] = []
        self._checked = time.monotonic()
        self.problems: tuple[BadKubeconfig, ...] = ()
        """Contexts that were left out, and why."""
        self._read()
        for name in self._identities.keys() - self._configs.keys():
            logger.warning("an identity mode is set for the unknown cluster %s", name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in connections:
            await connection.aclose()

    def configs(self) -> tuple[ClusterConfig, ...]:
        """Return every cluster, in the order of the kubeconfigs."""
        self._refresh()
        return tuple(self._configs.values())

    def connection(self, name: str) -> ClusterConnection:
        """Return the connection to a cluster. Raises StreamRefused for an unknown name."""
        self._refresh()
        config = self._configs.get(name)
        if config is None:
            raise StreamRefused(
                Refused(Refusal.UNKNOWN_CLUSTER, f"Hatchway knows no cluster named {name!r}.")
            )
        connection = self._connections.get(name)
        if connection is None:
            connection = ClusterConnection(config, self._sources[name])
            self._connections[name] = connection
        return connection

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        if all(stamp.is_current() for stamp in self._stamps):
            return
        try:
            self._read()
        except BadKubeconfig as error:
            # It may be half written; what was known before stays until it can be read.
            logger.warning("%s", error)
            return
        for name, connection in self._connections.items():
            if name in self._sources:
                connection.replace_source(self._sources[name])

    def _read(self) -> None:
        stamps = [FileStamp.of(path) for path in (*self._paths, *self._untrusted)]
        sources: dict[str, CredentialSource] = {}
        problems: list[BadKubeconfig] = []
        if self._in_cluster is not None:
            source = InClusterSource(self._service_account)
            sources[self._name("(in-cluster)", self._in_cluster)] = source
        for path in self._paths:
            contexts, bad = read_contexts(path)
            problems += bad
            for context in contexts:
                sources[self._name_of(context)] = KubeconfigSource(context)
        for path in self._untrusted:
            try:
                handed_in = load_untrusted(read_untrusted(path), source=str(path))
            except BadKubeconfig as refused:
                problems.append(refused)
                continue
            for context in handed_in:
                sources[self._name_of(context)] = KubeconfigSource(context)
        for problem in problems:
            logger.warning("%s", problem)
        self._stamps = stamps
        self._sources = sources
        self._configs = {
            name: ClusterConfig(name, self._identities.get(name, self._default_identity))
            for name in sources
        }
        self.problems = tuple(problems)

    def _name_of(self, context: Context) -> str:
        return self._name(context.source, context.name)

    def _name(self, origin: str, wanted: str) -> str:
        key = (origin, wanted)
        if key not in self._names:
            taken = set(self._names.values())
            name = fit_name(wanted)
            if name in taken:
                digest = hashlib.sha256("\n".join(key).encode()).hexdigest()[:_SUFFIX_LENGTH]
                name = f"{name[: MAX_CLUSTER_LENGTH - _SUFFIX_LENGTH - 1]}-{digest}"
            self._names[key] = name
        return self._names[key]


def fit_name(wanted: str) -> str:
    """Return a context's name as a cluster name: lower case, 1 to 63 of `a-z 0-9 . _ -`."""
    fitting = _UNFIT.sub("-", wanted.lower()).strip("-._")
    return fitting[:MAX_CLUSTER_LENGTH].strip("-._") or "cluster"
