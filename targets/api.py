"""Clusters, favourites, recents, preferences and debug containers (docs/api.md)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from ninja import Body, Field, Router, Schema, Status

from access.actions import Action
from access.address import address_of
from access.audit import EventTag, arecord
from access.cluster_rights import ClusterRights
from access.errors import Forbidden, Invalid
from access.identity import identity_of
from access.login import login_of
from access.policy import Decision, Labels, can, could, rights_of
from access.tickets import MADE_PURPOSE, aissue
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.target import Target, check_cluster, check_namespace, check_pod
from targets.models import Favourite, Preferences, Recent
from targets.ports import DebugContainers, Directory, PodReader

MAX_FAVOURITES = 200
MAX_PREFERENCES = 8 * 1024
"""Bytes of JSON."""


class ClusterOut(Schema):
    """A cluster in which the person holds a grant."""

    name: str
    identity: str
    server_version: str | None


class TargetBody(Schema):
    """One container."""

    cluster: str
    namespace: str
    pod: str
    container: str


class FavouriteBody(Schema):
    """A favourite: one container of one pod, or of any pod of a workload."""

    cluster: str
    namespace: str
    pod: str = ""
    container: str
    workload: str = Field("", max_length=320)


class RecentOut(Schema):
    """A container that the person opened lately."""

    target: TargetBody
    kind: str
    shell: str
    program: str
    used: datetime


class DebugBody(Schema):
    """Which container to look at, and with which image; null for the first allowed one."""

    target: TargetBody
    image: str | None = Field(None, max_length=500)


class DebugOut(Schema):
    """The debug container."""

    target: TargetBody
    made: str
    """Proof of having made it: the first attach with it may type without being asked."""


def build_router(
    directory: Directory, rights: ClusterRights, pods: PodReader, debug: DebugContainers
) -> Router:
    """Return the endpoints of this app over these backends."""
    router = Router(tags=["targets"])

    @router.get("/clusters", response=list[ClusterOut])
    async def read_clusters(request: HttpRequest) -> list[ClusterOut]:
        """Return the clusters in which the person holds any grant."""
        user = _person(request)
        grants = await database_sync_to_async(rights_of)(user)
        names = [name for name in directory.names() if grants.sees_cluster(name)]
        found = await asyncio.gather(*(directory.describe(name) for name in names))
        return [
            ClusterOut(name=info.name, identity=info.identity, server_version=info.server_version)
            for info in found
        ]

    @router.post("/debug-containers", response={201: DebugOut})
    async def create_debug_container(request: HttpRequest, body: DebugBody) -> Status[DebugOut]:
        """Start a debug container beside a container, and return it once it runs."""
        user = _person(request)
        target = Target.of(**body.target.dict())
        image = body.image or settings.HATCHWAY_DEBUG_IMAGES[0]
        if image not in settings.HATCHWAY_DEBUG_IMAGES:
            raise Invalid(
                Reason(ReasonCode.DEBUG_IMAGE),
                images=list(settings.HATCHWAY_DEBUG_IMAGES),
            )
        identity: Identity = await database_sync_to_async(identity_of)(user)
        decision = await _decide(request, user, target, identity)
        verdict = await rights.may(target, identity, Action.DEBUG.value, fresh=True)
        if not verdict.allowed:
            await _record_refusal(request, user, target, decision, verdict.reason)
            raise Forbidden(
                verdict.because or verdict.reason,
                action=Action.DEBUG.value,
                owner="",
                why="cluster_rights",
            )
        name = await debug.start(target, identity, image=image)
        await arecord(
            EventTag.DEBUG_CONTAINER_CREATE,
            user=user,
            address=address_of(request),
            target=target,
            decision=decision,
            data={"image": image, "name": name},
        )
        made = TargetBody(
            cluster=target.cluster, namespace=target.namespace, pod=target.pod, container=name
        )
        proof = await aissue(
            user,
            login_of(request, user).key,
            MADE_PURPOSE,
            {"target": str(replace(target, container=name))},
            origin=request.headers.get("Origin", ""),
        )
        return Status(201, DebugOut(target=made, made=proof))

    async def _decide(
        request: HttpRequest, user: Any, target: Target, identity: Identity
    ) -> Decision:
        """Ask the grants before the cluster, so that nobody learns what exists elsewhere."""
        decision: Decision = await database_sync_to_async(could)(user, Action.DEBUG, target)
        if decision.allowed:
            labels: Labels = await pods.labels(target, identity)
            decision = await database_sync_to_async(can)(user, Action.DEBUG, target, labels)
        if not decision.allowed:
            await _record_refusal(request, user, target, decision, "")
            raise decision.refusal()
        return decision

    _add_kept_things(router)
    return router


def _person(request: HttpRequest) -> Any:
    """Return the account that `auth` has found."""
    return request.auth  # type: ignore[attr-defined]


async def _record_refusal(
    request: HttpRequest, user: Any, target: Target, decision: Decision, reason: str
) -> None:
    await arecord(
        EventTag.ACCESS_REFUSED,
        user=user,
        address=address_of(request),
        target=target,
        decision=decision,
        reason=reason,
    )


def _add_kept_things(router: Router) -> None:
    """Add what needs the database alone."""

    @router.get("/favourites")
    def read_favourites(request: HttpRequest) -> list[dict[str, str]]:
        """Return the person's favourites, the oldest first."""
        return [_favourite(row) for row in Favourite.objects.filter(user=_person(request))]

    @router.put("/favourites", response={204: None})
    def add_favourite(request: HttpRequest, body: FavouriteBody) -> Status[None]:
        """Mark a container. Marking it twice is no error."""
        place = _place(body)
        mine = Favourite.objects.filter(user=_person(request))
        with transaction.atomic():
            if not mine.filter(**place).exists() and mine.count() >= MAX_FAVOURITES:
                limit = MAX_FAVOURITES
                raise Invalid(Reason.of(ReasonCode.FAVOURITES_LIMIT, limit=limit), limit=limit)
            Favourite.objects.get_or_create(user=_person(request), **place)
        return Status(204, None)

    @router.delete("/favourites", response={204: None})
    def remove_favourite(
        request: HttpRequest,
        cluster: str,
        namespace: str,
        container: str,
        workload: str = "",
        pod: str = "",
    ) -> Status[None]:
        """Unmark. With a workload whatever pod stands beside it, else exactly this pod."""
        found = Favourite.objects.filter(
            user=_person(request), cluster=cluster, namespace=namespace, container=container
        ).filter(workload=workload)
        if pod or not workload:
            found = found.filter(pod=pod)
        found.delete()
        return Status(204, None)

    @router.get("/recents", response=list[RecentOut])
    def read_recents(request: HttpRequest) -> list[RecentOut]:
        """Return the containers that the person opened lately, the newest first."""
        return [
            RecentOut(
                target=TargetBody(
                    cluster=row.cluster,
                    namespace=row.namespace,
                    pod=row.pod,
                    container=row.container,
                ),
                kind=row.kind,
                shell=row.shell,
                program=row.program,
                used=row.used,
            )
            for row in Recent.objects.filter(user=_person(request))
        ]

    @router.get("/preferences")
    def read_preferences(request: HttpRequest) -> dict[str, Any]:
        """Return the frontend's own JSON object."""
        row = Preferences.objects.filter(user=_person(request)).first()
        found: dict[str, Any] = row.data if row else {}
        return found

    @router.put("/preferences")
    def write_preferences(request: HttpRequest, body: Body[dict[str, Any]]) -> dict[str, Any]:
        """Keep a JSON object of at most 8 KiB."""
        if len(json.dumps(body, ensure_ascii=False).encode(errors="replace")) > MAX_PREFERENCES:
            raise Invalid("Preferences have at most 8 KiB.", limit=MAX_PREFERENCES)
        Preferences.objects.update_or_create(user=_person(request), defaults={"data": body})
        return body


def _favourite(row: Favourite) -> dict[str, str]:
    found = {
        "cluster": row.cluster,
        "namespace": row.namespace,
        "pod": row.pod,
        "container": row.container,
    }
    return {**found, "workload": row.workload} if row.workload else found


def _place(body: FavouriteBody) -> dict[str, Any]:
    """Return the fields of a favourite after checking the names. Raises InvalidTarget, Invalid."""
    check_cluster(body.cluster)
    check_namespace(body.namespace)
    kind, _, name = body.workload.partition("/")
    if body.workload and not (kind.isalpha() and name):
        raise Invalid("A workload is written Kind/name.")
    if body.workload:
        check_pod(name)
    if body.pod or not body.workload:
        check_pod(body.pod)
    Target.of(body.cluster, body.namespace, body.pod or "any", body.container)
    return {
        "cluster": body.cluster,
        "namespace": body.namespace,
        "pod": body.pod,
        "workload": body.workload,
        "container": body.container,
    }
