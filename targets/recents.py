"""Which containers a person opened lately."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from access.signals import target_used
from protocol.target import Target
from targets.models import Recent

MAX_RECENTS = 20
"""Containers that are remembered for each person."""


def connect() -> None:
    """Remember whatever is opened: whoever opens a container sends `target_used`."""
    target_used.connect(_on_use, dispatch_uid="targets.recents")


async def _on_use(*, user_id: int, target: Target, kind: str, shell: str, **_: Any) -> None:
    await database_sync_to_async(remember)(user_id, target, kind, shell)


def remember(user_id: int, target: Target, kind: str, shell: str) -> None:
    """Note that the person opened `target` now; the oldest beyond MAX_RECENTS is forgotten."""
    Recent.objects.update_or_create(
        user_id=user_id,
        cluster=target.cluster,
        namespace=target.namespace,
        pod=target.pod,
        container=target.container,
        defaults={"kind": kind, "shell": shell, "used": timezone.now()},
    )
    kept = Recent.objects.filter(user_id=user_id).values_list("pk", flat=True)[:MAX_RECENTS]
    Recent.objects.filter(user_id=user_id).exclude(pk__in=list(kept)).delete()
