"""Ask a cluster what a person may do, before a button is offered and while a session lives.

The question is a SelfSubjectAccessReview, asked as whoever the cluster will see: the person where
it impersonates, Hatchway itself otherwise. Answers are kept for CACHE_SECONDS.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kube.clusters import Clusters
from kube.connection import ClusterConnection, IdentityMode
from kube.errors import ApiRefused, KubeError, refused
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.target import Target

CACHE_SECONDS = 30.0
"""How old an answer may be: half of the minute in which lost rights must end a session."""

CACHE_ENTRIES = 4096
"""Answers that are kept; the one not asked for the longest is forgotten first."""

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The cluster lets this happen."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The cluster does not let this happen."""

    because: Reason
    """For the person."""

    @property
    def reason(self) -> str:
        """The same as one sentence."""
        return str(self.because)


Review = Allowed | Denied

_ALLOWED = Allowed()


@dataclass(frozen=True, slots=True)
class _Question:
    cluster: str
    identity: Identity | None
    namespace: str
    verb: str
    resource: str
    subresource: str
    name: str

    def denial(self) -> Reason:
        """Return what is missing, and for whom."""
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        missing = {
            "verb": self.verb,
            "resource": what,
            "user": self.identity.user if self.identity else "Hatchway",
        }
        if self.namespace:
            return Reason(ReasonCode.RBAC, {**missing, "namespace": self.namespace})
        return Reason(ReasonCode.RBAC_EVERYWHERE, missing)


class AccessReviews:
    """Answers to "may this person do that in this cluster?", cached for half a minute."""

    def __init__(self, clusters: Clusters, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clusters = clusters
        self._clock = clock
        self._answers: OrderedDict[_Question, tuple[float, Review]] = OrderedDict()

    async def may(
        self,
        cluster: str,
        identity: Identity,
        namespace: str,
        verb: str,
        resource: str,
        subresource: str = "",
        name: str = "",
        *,
        fresh: bool = False,
    ) -> Review:
        """Ask whether `identity` may do one thing; an empty namespace means all of them.

        `fresh` asks the cluster whatever is cached. Raises StreamRefused when the cluster
        cannot be asked.
        """
        connection = self._clusters.connection(cluster)
        impersonates = connection.config.identity_mode is IdentityMode.IMPERSONATE
        question = _Question(
            cluster,
            identity if impersonates else None,
            namespace,
            verb,
            resource,
            subresource,
            name,
        )
        known = self._answers.get(question)
        if known is not None and not fresh and self._clock() - known[0] < CACHE_SECONDS:
            self._answers.move_to_end(question)
            return known[1]
        answer = await _ask(connection, question)
        self._answers[question] = (self._clock(), answer)
        self._answers.move_to_end(question)
        while len(self._answers) > CACHE_ENTRIES:
            self._answers.popitem(last=False)
        return answer

    async def may_exec(self, target: Target, identity: Identity, *, fresh: bool = False) -> Review:
        """Ask whether a command may be started: get and create on pods/exec.

        Servers before 1.35 are content with get; a role that only reads is refused here anyway.
        """
        return await self._all(target, identity, (("get", "exec"), ("create", "exec")), fresh=fresh)

    async def may_attach(
        self, target: Target, identity: Identity, *, fresh: bool = False
    ) -> Review:
        """Ask whether the main process may be joined: get and create on pods/attach."""
        return await self._all(
            target, identity, (("get", "attach"), ("create", "attach")), fresh=fresh
        )

    async def may_debug(self, target: Target, identity: Identity, *, fresh: bool = False) -> Review:
        """Ask whether a debug container may be made and joined."""
        return await self._all(
            target,
            identity,
            (("patch", "ephemeralcontainers"), ("get", "attach"), ("create", "attach")),
            fresh=fresh,
        )

    def forget(self, *, cluster: str | None = None, identity: Identity | None = None) -> None:
        """Drop cached answers: all, or those of one cluster or of one person."""
        for question in list(self._answers):
            if cluster is not None and question.cluster != cluster:
                continue
            if identity is not None and question.identity != identity:
                continue
            del self._answers[question]

    async def _all(
        self,
        target: Target,
        identity: Identity,
        wanted: tuple[tuple[str, str], ...],
        *,
        fresh: bool,
    ) -> Review:
        for verb, subresource in wanted:
            answer = await self.may(
                target.cluster,
                identity,
                target.namespace,
                verb,
                "pods",
                subresource,
                target.pod,
                fresh=fresh,
            )
            if isinstance(answer, Denied):
                return answer
        return _ALLOWED


async def _ask(connection: ClusterConnection, question: _Question) -> Review:
    asked = {
        "namespace": question.namespace,
        "verb": question.verb,
        "group": "",
        "resource": question.resource,
        "subresource": question.subresource,
        "name": question.name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {name: value for name, value in asked.items() if value}},
    }
    try:
        answer = await connection.call("POST", _PATH, identity=question.identity, body=body)
    except ApiRefused as error:
        if error.status == 403:
            return Denied(refused(error).refused.reason)
        raise refused(error) from error
    except KubeError as error:
        raise refused(error) from error
    if (answer.get("status") or {}).get("allowed") is True:
        return _ALLOWED
    return Denied(question.denial())
