"""Grants and the audit trail in the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from access.address import address_of
from access.audit import EventTag, record
from access.forms import GrantForm
from access.models import AuditEvent, Grant

# Django's classes take the model they are for as a parameter in their stubs alone.
if TYPE_CHECKING:
    GrantAdminBase = admin.ModelAdmin[Grant]
    AuditEventAdminBase = admin.ModelAdmin[AuditEvent]
else:
    GrantAdminBase = AuditEventAdminBase = admin.ModelAdmin


@admin.register(Grant)
class GrantAdmin(GrantAdminBase):
    """Who may do what where. Every change is an audit event."""

    form = GrantForm
    list_display = (
        "name",
        "subject",
        "action_words",
        "cluster",
        "namespaces",
        "labels",
        "containers",
        "until",
        "enabled",
    )
    list_filter = ("enabled", "group")
    list_select_related = ("user", "group")
    list_per_page = 50
    search_fields = ("name", "user__username", "group__name", "namespaces", "cluster", "owner")
    autocomplete_fields = ("user", "group")
    readonly_fields = ("created", "created_by")

    @admin.display(description=_("for"))
    def subject(self, grant: Grant) -> str:
        """Return whose grant it is."""
        return f"@{grant.group}" if grant.group_id else str(grant.user)

    @admin.display(description=_("actions"))
    def action_words(self, grant: Grant) -> str:
        """Return the actions in one line."""
        return ", ".join(map(str, grant.actions))

    def save_model(
        self, request: HttpRequest, obj: Grant, form: ModelForm[Grant], change: bool
    ) -> None:
        """Store the grant and say so on the audit trail."""
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        tag = EventTag.GRANT_CHANGE if change else EventTag.GRANT_CREATE
        _note(tag, request, obj, changed=list(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """Delete the grant and say so on the audit trail."""
        _note(EventTag.GRANT_DELETE, request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete several grants and say so for each."""
        for grant in queryset:
            _note(EventTag.GRANT_DELETE, request, grant)
        super().delete_queryset(request, queryset)


def _note(tag: EventTag, request: HttpRequest, grant: Grant, **more: Any) -> None:
    record(
        tag,
        user=request.user,
        address=address_of(request),
        data={
            "grant": str(grant.pk),
            "name": grant.name,
            "user": str(grant.user) if grant.user_id else "",
            "group": str(grant.group) if grant.group_id else "",
            "actions": list(map(str, grant.actions)),
            "cluster": grant.cluster,
            "namespaces": grant.namespaces,
            "labels": grant.labels,
            "containers": grant.containers,
            "until": grant.until.isoformat() if grant.until else None,
            "enabled": grant.enabled,
            **more,
        },
    )


@admin.register(AuditEvent)
class AuditEventAdmin(AuditEventAdminBase):
    """The audit trail, to read: nobody adds, changes or removes anything here."""

    list_display = (
        "time",
        "username",
        "tag",
        "cluster",
        "namespace",
        "pod",
        "container",
        "grant",
        "reason",
        "address",
    )
    list_filter = ("tag", "time", "cluster")
    list_per_page = 100
    search_fields = ("username", "tag", "namespace", "pod", "container", "reason", "address")
    date_hierarchy = "time"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds events by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes events."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody removes events."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """There is nothing to do with events but to read them."""
        return {}
