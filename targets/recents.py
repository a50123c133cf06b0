"""Which containers a person opened lately."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from access.signals import program_known, target_used
from protocol.target import Target
from targets.models import Recent

MAX_RECENTS = 20
"""Containers that are remembered for each person."""


def connect() -> None:
    """Remember whatever is opened: whoever opens a container sends these signals."""
    target_used.connect(_on_use, dispatch_uid="targets.recents")
    program_known.connect(_on_program, dispatch_uid="targets.recents")


async def _on_use(
    *, user_id: int, target: Target, kind: str, shell: str, program: str = "", **_: Any
) -> None:
    await database_sync_to_async(remember)(user_id, target, kind, shell, program)


async def _on_program(*, user_id: int, target: Target, program: str, **_: Any) -> None:
    await database_sync_to_async(note_program)(user_id, target, program)


def note_program(user_id: int, target: Target, program: str) -> None:
    """Note what runs in a container that the person opened with `auto`."""
    opened = {
        "user_id": user_id,
        "cluster": target.cluster,
        "namespace": target.namespace,
        "pod": target.pod,
        "container": target.container,
        "shell": "auto",
    }
    Recent.objects.filter(**opened).update(program=program)


def remember(user_id: int, target: Target, kind: str, shell: str, program: str = "") -> None:
    """Note that the person opened `target` now; the oldest beyond MAX_RECENTS is forgotten."""
    Recent.objects.update_or_create(
        user_id=user_id,
        cluster=target.cluster,
        namespace=target.namespace,
        pod=target.pod,
        container=target.container,
        defaults={"kind": kind, "shell": shell, "program": program, "used": timezone.now()},
    )
    kept = Recent.objects.filter(user_id=user_id).values_list("pk", flat=True)[:MAX_RECENTS]
    Recent.objects.filter(user_id=user_id).exclude(pk__in=list(kept)).delete()
