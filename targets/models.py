"""What a person keeps: favourite containers, recent ones, and preferences."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from protocol.target import Target


class Favourite(models.Model):
    """A container that a person marked.

    With a workload it is any pod of that workload, so that it survives a rollout.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites"
    )
    cluster = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    pod = models.CharField(max_length=253, blank=True)
    workload = models.CharField(max_length=320, blank=True)
    """Kind and name: Deployment/web."""
    container = models.CharField(max_length=63)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="favourite_once",
                fields=["user", "cluster", "namespace", "pod", "workload", "container"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.workload or self.pod}/{self.container}"


class Recent(models.Model):
    """A container that a person opened lately; one row for each container."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recents"
    )
    cluster = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    pod = models.CharField(max_length=253)
    container = models.CharField(max_length=63)
    kind = models.CharField(max_length=10)
    shell = models.CharField(max_length=10, blank=True)
    program = models.CharField(max_length=100, blank=True)
    """What ran the last time: the shell that `auto` became, a command's first word."""
    used = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-used", "-id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="recent_once", fields=["user", "cluster", "namespace", "pod", "container"]
            ),
        ]

    def __str__(self) -> str:
        return str(self.target)

    @property
    def target(self) -> Target:
        """The container."""
        return Target(self.cluster, self.namespace, self.pod, self.container)


class Preferences(models.Model):
    """A JSON object of the frontend's own, one for each person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="preferences",
    )
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"
