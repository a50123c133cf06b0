"""The live tree's socket: `hatchway.targets.v1`."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from access.cluster_rights import ClusterRights
from access.consumers import GuardedConsumer
from access.errors import Forbidden, SignedOut
from access.identity import identity_of
from access.policy import Rights as Grants
from access.policy import fresh_rights_of
from access.revocation import Holding, Revoked, Why, check
from protocol.identity import Identity
from targets.feed import ClusterFeed
from targets.ports import Directory
from targets.wire import SUBPROTOCOL, Hello, Ping, decode, pong

CHECK_SECONDS = 3.0
"""How often login session and grants are looked at again; a change shows within five seconds."""


class TargetsConsumer(GuardedConsumer):
    """Watches the clusters that the client names, for one person."""

    subprotocol = SUBPROTOCOL
    purpose = "targets"

    def __init__(
        self, *, directory: Directory, rights: ClusterRights, check_seconds: float = CHECK_SECONDS
    ) -> None:
        self._directory = directory
        self._rights = rights
        self._check_seconds = check_seconds
        self._feeds: dict[str, asyncio.Task[None]] = {}
        self._grants = Grants()
        self._identity = Identity("")

    async def opened(self) -> None:
        """Read what the person may see."""
        self._identity, self._grants, _ = await self._read()
        self.tasks.create_task(self._keep_checking())

    async def received(self, frame: str | bytes) -> None:
        """Change what is watched, or answer a ping."""
        match decode(frame):
            case Hello(clusters):
                self._watch(clusters)
            case Ping(t):
                await self.send_frame(pong(t))

    def _watch(self, clusters: tuple[str, ...], *, again: bool = False) -> None:
        for cluster in list(self._feeds):
            if again or cluster not in clusters:
                self._feeds.pop(cluster).cancel()
        for cluster in clusters:
            if cluster not in self._feeds:
                feed = ClusterFeed(
                    cluster,
                    identity=self._identity,
                    grants=self._grants,
                    directory=self._directory,
                    rights=self._rights,
                    send=self.send_frame,
                )
                self._feeds[cluster] = self.tasks.create_task(feed.run())

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(self._check_seconds)
            identity, grants, revoked = await self._read()
            if revoked is not None:
                raise _closing(revoked)
            if (identity, grants) != (self._identity, self._grants):
                self._identity, self._grants = identity, grants
                self._watch(tuple(self._feeds), again=True)

    async def _read(self) -> tuple[Identity, Grants, Revoked | None]:
        found: tuple[Identity, Grants, Revoked | None]
        found = await database_sync_to_async(self._read_now)()
        return found

    def _read_now(self) -> tuple[Identity, Grants, Revoked | None]:
        login = self.login
        holder = Holding(login.user_id, login.key, login.auth_hash)
        revoked = check({"me": holder}).get("me")
        return identity_of(login.user), fresh_rights_of(login.user_id), revoked


def _closing(revoked: Revoked) -> Any:
    if revoked.why in (Why.SIGNED_OUT, Why.PASSWORD_CHANGED):
        return SignedOut()
    return Forbidden(revoked.because, why=revoked.why.value)
