"""Where a run happens: the clusters it may use and the folder for its files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.figures import Missing
from bench.house import House, running_house
from kube.clusters import Clusters
from protocol.identity import Identity

POD, CONTAINER = "web", "main"
"""In the namespace `default` of the real cluster, from the sample workloads: it has bash."""

WHO = Identity("alice", ("team-a",))

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the machine offers."""

    directory: Path
    kubeconfig: Path | None
    """An administrator's kubeconfig of a real cluster."""
    kubectl: str | None
    ttyd: str | None

    def cluster(self) -> Path:
        """Return the real cluster's kubeconfig. Raises Missing."""
        if self.kubeconfig is None:
            raise Missing(
                "no cluster: set HATCHWAY_TEST_KUBECONFIG to an administrator's kubeconfig"
            )
        if not self.kubeconfig.exists():
            raise Missing(f"no cluster: the file {self.kubeconfig} does not exist")
        return self.kubeconfig

    @asynccontextmanager
    async def house(self, **more: str) -> AsyncIterator[House]:
        """Run a fresh server on the real cluster."""
        directory = self.directory / f"house-{next(_numbers)}"
        async with running_house(
            directory, self.cluster(), HATCHWAY_IDENTITY="impersonate", **more
        ) as house:
            yield house

    def target(self, clusters: Clusters) -> str:
        """Return cluster/namespace/pod/container of the shell on the real cluster."""
        return f"{clusters.configs()[0].name}/default/{POD}/{CONTAINER}"

    def clusters(self) -> Clusters:
        """Return the real cluster as the load client reaches it itself."""
        return Clusters([self.cluster()])


def is_told_to_end() -> bool:
    """Return whether the running task was cancelled: an error on the way out must not hide it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
