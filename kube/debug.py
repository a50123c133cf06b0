"""Debug containers: an ephemeral container beside one that has no shell.

It shares the process namespace of the container it looks at, whose files it finds under
/proc/1/root. It can neither be removed nor started again, so each one has a new name.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from kube.clusters import Clusters
from kube.connection import ClusterConnection, api_path
from kube.errors import ApiRefused, KubeError, refused
from kube.pods import Json, containers_of, state_of
from protocol.execution import Refusal, Refused
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.refusal import StreamRefused
from protocol.target import Target

START_SECONDS = 60.0
"""Until the container runs; pulling its image is the long part."""

POLL_SECONDS = 0.4
"""Between two looks at the pod."""

_HOPELESS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)


class DebugContainers:
    """Starts debug containers."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    async def start(
        self,
        target: Target,
        identity: Identity,
        *,
        image: str,
        command: Sequence[str] = ("sh",),
        seconds: float = START_SECONDS,
    ) -> str:
        """Start a debug container that looks at `target` and return its name once it runs.

        It has a terminal and waits for somebody to attach. Raises StreamRefused: forbidden, the
        cluster does not do this, the image cannot be started, or it takes too long.
        """
        connection = self._clusters.connection(target.cluster)
        name = f"hatchway-debug-{secrets.token_hex(4)}"
        container = {
            "name": name,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(command),
            "stdin": True,
            "tty": True,
            "targetContainerName": target.container,
        }
        try:
            pod = await self._patch(connection, target, identity, container)
            if _find(pod, name) is None:
                # Servers before 1.22 answer 200 to this body and do nothing.
                raise _failure(Reason(ReasonCode.DEBUG_TOO_OLD))
            await self._wait_until_running(connection, target, identity, name, seconds)
        except KubeError as error:
            raise refused(error, subresource="ephemeralcontainers") from error
        return name

    async def _patch(
        self,
        connection: ClusterConnection,
        target: Target,
        identity: Identity,
        container: dict[str, Any],
    ) -> Json:
        try:
            answer: Json = await connection.call(
                "PATCH",
                api_path(*_pod_segments(target), "ephemeralcontainers"),
                identity=identity,
                body={"spec": {"ephemeralContainers": [container]}},
                content_type="application/strategic-merge-patch+json",
            )
        except ApiRefused as error:
            if error.status == 404 and not error.details.get("name"):
                raise _failure(Reason(ReasonCode.DEBUG_NOT_OFFERED)) from error
            raise
        return answer

    async def _wait_until_running(
        self,
        connection: ClusterConnection,
        target: Target,
        identity: Identity,
        name: str,
        seconds: float,
    ) -> None:
        reason = "it is still being created"
        try:
            async with asyncio.timeout(seconds):
                while True:
                    pod = await connection.call(
                        "GET", api_path(*_pod_segments(target)), identity=identity
                    )
                    state, details = state_of(_find(pod, name) or {})
                    reason = str(details.get("reason") or reason)
                    if state == "running":
                        return
                    if state == "terminated":
                        code = details.get("exitCode")
                        raise _failure(Reason.of(ReasonCode.DEBUG_ENDED, code=str(code)))
                    if reason in _HOPELESS:
                        raise _failure(Reason.of(ReasonCode.DEBUG_NOT_STARTED, word=reason))
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise _failure(
                Reason.of(ReasonCode.DEBUG_LATE, seconds=f"{seconds:g}", word=reason)
            ) from error


def _pod_segments(target: Target) -> tuple[str, ...]:
    return ("api", "v1", "namespaces", target.namespace, "pods", target.pod)


def _find(pod: Json, name: str) -> Json | None:
    for kind, spec, status in containers_of(pod):
        if kind == "ephemeral" and spec.get("name") == name:
            return status
    return None


def _failure(because: Reason) -> StreamRefused:
    return StreamRefused(Refused(Refusal.OTHER, str(because), because=because))
