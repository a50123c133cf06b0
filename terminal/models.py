"""The durable record of sessions, of who took part, and of the hosts that hold them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from protocol.target import Target
from terminal.session.ending import EndReason
from terminal.session.launch import Shell
from terminal.session.spec import Kind

_KINDS = [(Kind.EXEC.value, _("shell or command")), (Kind.ATTACH.value, _("attached"))]
_SHELLS = [
    (Shell.AUTO.value, _("automatic")),
    (Shell.BASH.value, "bash"),
    (Shell.SH.value, "sh"),
    (Shell.CUSTOM.value, _("own command")),
]
_END_REASONS = [
    (EndReason.EXITED.value, _("the process exited")),
    (EndReason.CLOSED_BY_OWNER.value, _("ended by its owner")),
    (EndReason.TERMINATED.value, _("terminated by an administrator")),
    (EndReason.IDLE.value, _("idle for too long")),
    (EndReason.EXPIRED.value, _("the time limit was reached")),
    (EndReason.REVOKED.value, _("access was withdrawn")),
    (EndReason.TARGET_GONE.value, _("the container is gone")),
    (EndReason.LOST.value, _("the connection to the cluster broke")),
    (EndReason.DETACHED.value, _("nobody came back in time")),
    (EndReason.START_FAILED.value, _("it could not be started")),
    (EndReason.REFUSED.value, _("refused by the cluster")),
    (EndReason.SERVER_DRAIN.value, _("the server was shut down")),
    (EndReason.SERVER_LOST.value, _("the server was lost")),
    (EndReason.FAILED.value, _("a fault of the server")),
]


class State(models.TextChoices):
    """Where a session is in its life; it only ever moves forward."""

    STARTING = "starting", _("starting")
    LIVE = "live", _("live")
    ENDED = "ended", _("ended")


class Host(models.Model):
    """One process that holds sessions. A host that stops saying so is dead."""

    name = models.CharField(max_length=200, primary_key=True)
    machine = models.CharField(max_length=200)
    """The machine's host name, so that a dead process on the same machine is noticed at once."""
    pid = models.PositiveIntegerField()
    started = models.DateTimeField()
    seen = models.DateTimeField()
    """When the host last said that it lives."""

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")

    def __str__(self) -> str:
        return self.name


class TerminalSession(models.Model):
    """One exec or attach by one owner: who, where, as whom, what, and how it ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="terminal_sessions",
    )
    username = models.CharField(_("user name"), max_length=150)
    """A copy: evidence stays readable when the account is gone."""
    cluster_user = models.CharField(_("as whom in the cluster"), max_length=200, blank=True)
    cluster_groups = models.JSONField(_("groups in the cluster"), default=list, blank=True)
    address = models.CharField(_("from address"), max_length=64, blank=True)
    cluster = models.CharField(_("cluster"), max_length=63)
    namespace = models.CharField(_("namespace"), max_length=63)
    pod = models.CharField(_("pod"), max_length=253)
    container = models.CharField(_("container"), max_length=63)
    pod_uid = models.CharField(_("pod UID"), max_length=64)
    container_id = models.CharField(_("container ID"), max_length=120, blank=True)
    node = models.CharField(_("node"), max_length=253, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=_KINDS)
    shell = models.CharField(_("shell"), max_length=10, choices=_SHELLS, blank=True)
    command = models.JSONField(_("command"), default=list, blank=True)
    """The argv of a `custom` shell."""
    program = models.CharField(_("what ran"), max_length=100, blank=True)
    """Which shell `auto` became, once that is known; else the shell or the command's first word."""
    marker = models.CharField(max_length=64, blank=True, editable=False)
    """What the session's processes carry in their environment."""
    grant = models.CharField(_("by grant"), max_length=200, blank=True)
    host = models.CharField(_("host"), max_length=200, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.STARTING
    )
    started = models.DateTimeField(_("started"))
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("end reason"), max_length=20, choices=_END_REASONS, blank=True)
    end_message = models.CharField(_("what happened"), max_length=500, blank=True)
    end_data = models.JSONField(default=dict, blank=True)
    exit_code = models.SmallIntegerField(_("exit code"), null=True, blank=True)
    bytes_out = models.BigIntegerField(_("bytes to the person"), default=0)
    bytes_in = models.BigIntegerField(_("bytes to the container"), default=0)
    cols = models.PositiveSmallIntegerField(default=80)
    rows = models.PositiveSmallIntegerField(default=24)
    reaped = models.BooleanField(_("processes ended"), default=False)
    """Whether what the session started in the container is known to have been ended."""
    processes_left = models.PositiveIntegerField(_("processes left"), null=True, blank=True)
    end_requested = models.DateTimeField(_("end requested"), null=True, blank=True)
    end_requested_by = models.CharField(_("end requested by"), max_length=150, blank=True)
    end_requested_reason = models.CharField(max_length=20, blank=True)
    end_requested_note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-started"]
        permissions = [("terminate_terminalsession", "Can terminate sessions")]
        indexes = [
            models.Index(fields=["-started"]),
            models.Index(fields=["state", "host"]),
            models.Index(fields=["user", "-started"]),
            models.Index(fields=["cluster", "namespace", "pod"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="session_ended_has_a_reason_and_a_time",
                condition=(
                    Q(state="ended", ended__isnull=False) & ~Q(end_reason="")
                    | ~Q(state="ended") & Q(ended__isnull=True, end_reason="")
                ),
            ),
            models.CheckConstraint(
                name="session_state_is_known", condition=Q(state__in=State.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username} → {self.target}"

    @property
    def target(self) -> Target:
        """The container, by name."""
        return Target(self.cluster, self.namespace, self.pod, self.container)


class Participant(models.Model):
    """One socket's stay in a session."""

    session = models.ForeignKey(
        TerminalSession, on_delete=models.CASCADE, related_name="participants"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    username = models.CharField(_("user name"), max_length=150)
    role = models.CharField(
        _("role"), max_length=10, choices=[("owner", _("owner")), ("viewer", _("viewer"))]
    )
    """The role on joining; a newer tab may have turned an owner into a viewer later."""
    address = models.CharField(_("from address"), max_length=64, blank=True)
    joined = models.DateTimeField(_("joined"))
    left = models.DateTimeField(_("left"), null=True, blank=True)

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        ordering = ["joined"]
        constraints = [
            models.CheckConstraint(
                name="participant_role_is_known", condition=Q(role__in=["owner", "viewer"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.username} ({self.role})"
