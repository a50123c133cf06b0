"""Grants, tickets, and the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.actions import Action
from access.patterns import InvalidPattern, check_patterns, split_patterns
from access.selector import InvalidSelector, parse_selector


def check_actions(value: object) -> None:
    """Accept a list of different actions. Raises ValidationError."""
    known = {action.value for action in Action}
    if not isinstance(value, list) or not value:
        raise ValidationError(_("Choose at least one action."))
    if len(set(map(str, value))) != len(value) or not set(value) <= known:
        raise ValidationError(_("Use each of these at most once: %s") % ", ".join(sorted(known)))


def check_pattern_text(value: str) -> None:
    """Accept name patterns. Raises ValidationError."""
    try:
        check_patterns(value)
    except InvalidPattern as error:
        raise ValidationError(str(error)) from None


def check_selector_text(value: str) -> None:
    """Accept a label selector. Raises ValidationError."""
    try:
        parse_selector(value)
    except InvalidSelector as error:
        raise ValidationError(str(error)) from None


class Grant(models.Model):
    """A rule: a person or group may do some actions on some targets, perhaps until some time.

    There are no rules that forbid: what no grant allows is denied.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("person"),
    )
    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("group"),
    )
    actions = models.JSONField(_("actions"), default=list, validators=[check_actions])
    cluster = models.CharField(
        _("clusters"),
        max_length=200,
        default="*",
        validators=[check_pattern_text],
        help_text=_("Shell-style patterns, separated by commas: demo, prod-*"),
    )
    namespaces = models.CharField(
        _("namespaces"),
        max_length=1000,
        default="*",
        validators=[check_pattern_text],
        help_text=_("Shell-style patterns, separated by commas: shop, shop-*"),
    )
    labels = models.CharField(
        _("label selector"),
        max_length=1000,
        blank=True,
        default="",
        validators=[check_selector_text],
        help_text=_("As kubectl writes it: app=web,tier!=db,env in (a, b). Empty: every pod."),
    )
    containers = models.CharField(
        _("containers"),
        max_length=1000,
        default="*",
        validators=[check_pattern_text],
        help_text=_("Shell-style patterns, separated by commas: web, side-*"),
    )
    until = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Empty: without end.")
    )
    owner = models.CharField(
        _("owner"), max_length=150, blank=True, help_text=_("Whom to ask about this grant.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ("name", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="grant_has_one_subject",
                condition=Q(user__isnull=False, group__isnull=True)
                | Q(user__isnull=True, group__isnull=False),
                violation_error_message=_("Choose a person or a group, not both."),
            ),
            models.CheckConstraint(
                name="grant_names_clusters",
                condition=~Q(cluster="") & ~Q(namespaces="") & ~Q(containers=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def namespace_patterns(self) -> tuple[str, ...]:
        """The single patterns for namespaces."""
        return split_patterns(self.namespaces)

    @property
    def container_patterns(self) -> tuple[str, ...]:
        """The single patterns for containers."""
        return split_patterns(self.containers)


class Ticket(models.Model):
    """Permission to open one socket, once, soon. Only access/tickets.py touches it."""

    digest = models.CharField(primary_key=True, max_length=64)
    """SHA-256 of the secret: a copy of the database opens nothing."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    login_digest = models.CharField(max_length=64)
    """SHA-256 of the key of the login session that asked."""
    purpose = models.CharField(max_length=50)
    payload = models.JSONField(default=dict)
    origin = models.CharField(max_length=300, blank=True)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return f"{self.purpose} until {self.expires:%H:%M:%S}"


class AppendOnly(Exception):
    """Somebody tried to change or remove an audit event."""

    def __init__(self) -> None:
        super().__init__("Audit events are only ever added; nothing changes or removes one.")


class AuditEvents(models.QuerySet["AuditEvent"]):
    """Audit events; everything that would change or remove one raises AppendOnly."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    async def aupdate(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    async def abulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def bulk_create(self, objs: Iterable[AuditEvent], *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: with `update_conflicts` it would change what is stored."""
        raise AppendOnly

    async def abulk_create(self, objs: Iterable[AuditEvent], *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    async def adelete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AppendOnly

    def _update(self, values: Any) -> NoReturn:
        raise AppendOnly


class AuditEvent(models.Model):
    """A fact about what a person did or was refused. Written by access/audit.py alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    time = models.DateTimeField(_("time"), default=timezone.now)
    tag = models.CharField(_("what"), max_length=60)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("person"),
    )
    """Without a constraint: an account may be deleted, its events stay as they are."""
    username = models.CharField(_("user name"), max_length=150, blank=True)
    """As it was then."""
    address = models.CharField(_("address"), max_length=45, blank=True)
    cluster = models.CharField(_("cluster"), max_length=63, blank=True)
    namespace = models.CharField(_("namespace"), max_length=63, blank=True)
    pod = models.CharField(_("pod"), max_length=253, blank=True)
    container = models.CharField(_("container"), max_length=63, blank=True)
    session_id = models.UUIDField(_("session"), null=True, blank=True)
    grant = models.CharField(_("grant"), max_length=100, blank=True)
    """The name of the grant that allowed it, as it was then."""
    grant_id = models.UUIDField(null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)

    objects = AuditEvents.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ("-time", "-id")
        base_manager_name = "objects"
        default_permissions = ("view",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-time"], name="audit_time"),
            models.Index(fields=["tag", "-time"], name="audit_tag_time"),
            models.Index(fields=["username", "-time"], name="audit_username_time"),
            models.Index(fields=["session_id"], name="audit_session"),
            models.Index(fields=["cluster", "namespace", "pod"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.username or '-'} {self.tag}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the event. Raises AppendOnly for one that is stored already."""
        if not self._state.adding:
            raise AppendOnly
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly
