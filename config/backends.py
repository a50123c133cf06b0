"""Kubernetes as the apps see it: one set of backends for this process, built from the settings.

Together with `config.routing` the only place that knows both the apps and `kube`.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from access.cluster_rights import Verdict
from config.lifespan import Lifespan
from kube import directory as kube_directory
from kube.clusters import Clusters
from kube.connection import IdentityMode
from kube.debug import DebugContainers
from kube.errors import BadKubeconfig
from kube.exec import KubeExecBackend
from kube.processes import ProcessReaper
from kube.reviews import AccessReviews, Denied
from protocol.identity import Identity
from protocol.target import Target
from targets import ports

IN_CLUSTER_NAME = "in-cluster"


class KubeDirectory:
    """The port `targets.ports.Directory` over kube's directory."""

    def __init__(self, clusters: Clusters, directory: kube_directory.ClusterDirectory) -> None:
        self._clusters = clusters
        self._directory = directory

    def names(self) -> tuple[str, ...]:
        """Return the names of all clusters."""
        return tuple(config.name for config in self._clusters.configs())

    async def describe(self, name: str) -> ports.ClusterInfo:
        """Return what is listed of a cluster."""
        connection = self._clusters.connection(name)
        version = await connection.server_version()
        return ports.ClusterInfo(name, connection.config.identity_mode.value, version)

    @asynccontextmanager
    async def watch(
        self, cluster: str, identity: Identity, is_visible: Callable[[str], bool]
    ) -> AsyncIterator[AsyncIterator[ports.FeedEvent]]:
        """Watch the pods of a cluster."""
        async with self._directory.watch(cluster, identity, is_visible) as events:
            yield _translated(events)


async def _translated(
    events: AsyncIterator[kube_directory.DirectoryEvent],
) -> AsyncIterator[ports.FeedEvent]:
    async for event in events:
        match event:
            case kube_directory.StateChanged(state, message, namespaces, because):
                yield ports.FeedState(state.value, message, namespaces, because)
            case kube_directory.PodsChanged(reset, pods):
                yield ports.PodsChanged(pods, reset)
            case kube_directory.PodsGone(uids):
                yield ports.PodsGone(uids)


class KubeRights:
    """The port ClusterRights over kube's access reviews."""

    def __init__(self, reviews: AccessReviews) -> None:
        self._ask = {
            "exec": reviews.may_exec,
            "attach": reviews.may_attach,
            "debug": reviews.may_debug,
        }

    async def may(
        self, target: Target, identity: Identity, action: str, *, fresh: bool = False
    ) -> Verdict:
        """Ask the cluster."""
        review = await self._ask[action](target, identity, fresh=fresh)
        if isinstance(review, Denied):
            return Verdict.denied(review.because)
        return Verdict(True)


class KubePods:
    """The port `targets.ports.PodReader` over the exec backend's look at a pod."""

    def __init__(self, backend: KubeExecBackend) -> None:
        self._backend = backend

    async def labels(self, target: Target, identity: Identity) -> Mapping[str, str]:
        """Return the labels of the target's pod."""
        return (await self._backend.inspect(target, identity)).labels


@dataclass(frozen=True, slots=True)
class Backends:
    """Everything that this process has of Kubernetes."""

    clusters: Clusters
    reviews: AccessReviews
    feeds: kube_directory.ClusterDirectory
    exec_backend: KubeExecBackend
    reaper: ProcessReaper
    directory: KubeDirectory
    rights: KubeRights
    pods: KubePods
    debug: DebugContainers

    def hold_open(self, lifespan: Lifespan) -> None:
        """Keep the connections open while the process serves. Register before what uses them."""
        lifespan.hold(lambda: self.clusters)
        lifespan.hold(lambda: self.feeds)


@functools.cache
def backends() -> Backends:
    """Return this process's backends. Reads the kubeconfigs; connects to nothing yet.

    Raises ImproperlyConfigured for a kubeconfig that cannot be read.
    """
    mode = IdentityMode(settings.HATCHWAY_IDENTITY)
    try:
        identities = {
            name: IdentityMode(word) for name, word in settings.HATCHWAY_CLUSTER_IDENTITIES.items()
        }
    except ValueError:
        raise ImproperlyConfigured(
            "HATCHWAY_CLUSTER_IDENTITIES: each cluster has service-account or impersonate."
        ) from None
    try:
        clusters = Clusters(
            [Path(path).expanduser() for path in settings.HATCHWAY_KUBECONFIG],
            untrusted=[Path(path) for path in settings.HATCHWAY_KUBECONFIG_UNTRUSTED],
            in_cluster=IN_CLUSTER_NAME if settings.HATCHWAY_IN_CLUSTER else None,
            default_identity=mode,
            identities=identities,
        )
    except BadKubeconfig as error:
        raise ImproperlyConfigured(f"HATCHWAY_KUBECONFIG: {error}") from None
    reviews = AccessReviews(clusters)
    feeds = kube_directory.ClusterDirectory(clusters, reviews)
    exec_backend = KubeExecBackend(clusters)
    return Backends(
        clusters=clusters,
        reviews=reviews,
        feeds=feeds,
        exec_backend=exec_backend,
        reaper=ProcessReaper(exec_backend),
        directory=KubeDirectory(clusters, feeds),
        rights=KubeRights(reviews),
        pods=KubePods(exec_backend),
        debug=DebugContainers(clusters),
    )
