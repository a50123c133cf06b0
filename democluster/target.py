"""Which container a request for exec, attach or logs is about."""

from __future__ import annotations

from dataclasses import dataclass

from democluster.objects import JsonObject
from democluster.requests import ApiRequest
from democluster.resources import PODS
from democluster.status import bad_request
from democluster.store import Store


@dataclass(frozen=True, slots=True)
class PodContainer:
    """A container of a pod that exists."""

    pod: JsonObject
    name: str

    @property
    def uid(self) -> str:
        """The UID of the pod."""
        return str(self.pod["metadata"]["uid"])

    @property
    def node(self) -> str:
        """The node of the pod, empty if it has none yet."""
        return str(self.pod["spec"].get("nodeName", ""))


def find_target(store: Store, request: ApiRequest) -> PodContainer:
    """Return the container that a request names, or the only one of its pod.

    Raises ApiError 404 for a pod and 400 for a container that does not exist or is not named.
    """
    pod = store.get(PODS, request.namespace, request.name)
    main = [item["name"] for item in pod["spec"]["containers"]]
    others = [item["name"] for item in pod["spec"].get("ephemeralContainers") or []]
    name = request.http.query.get("container", "")
    if not name:
        if len(main) > 1:
            raise bad_request(
                f"a container name must be specified for pod {request.name}, "
                f"choose one of: [{' '.join(main)}]"
            )
        return PodContainer(pod, main[0])
    if name not in (*main, *others):
        raise bad_request(f"container {name} is not valid for pod {request.name}")
    return PodContainer(pod, name)
