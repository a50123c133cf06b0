"""The audit of sessions in the admin site: read-only for everybody, with `terminate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from access.address import address_of
from access.audit import EventTag, record
from terminal import lifecycle
from terminal.models import Participant, State, TerminalSession
from terminal.session.ending import EndReason

NOTE_CHARACTERS = 500
"""Of the reason that its owner reads; the database keeps no more."""

# Django's classes take the models they are for as parameters in their stubs alone.
if TYPE_CHECKING:
    SessionAdminBase = admin.ModelAdmin[TerminalSession]
    ParticipantInlineBase = admin.TabularInline[Participant, TerminalSession]
else:
    SessionAdminBase = admin.ModelAdmin
    ParticipantInlineBase = admin.TabularInline


class ReadOnly:
    """Evidence: no one adds, changes or deletes it, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class ParticipantInline(ReadOnly, ParticipantInlineBase):
    """Who was in the session, when, from where."""

    model = Participant
    fields = ("username", "role", "address", "joined", "left")
    readonly_fields = fields
    extra = 0
    can_delete = False


@admin.register(TerminalSession)
class TerminalSessionAdmin(ReadOnly, SessionAdminBase):
    """Sessions: who, where, as whom, what, and how each ended."""

    list_display = (
        "started",
        "username",
        "where",
        "kind",
        "shell",
        "state",
        "ended_because",
        "exit_code",
        "bytes_out",
        "bytes_in",
        "address",
    )
    list_filter = (
        "state",
        "end_reason",
        "kind",
        "started",
        "cluster",
        "namespace",
        "username",
    )
    search_fields = ("username", "pod", "container", "namespace", "address", "pod_uid", "=id")
    date_hierarchy = "started"
    list_per_page = 50
    ordering = ("-started",)
    inlines = (ParticipantInline,)
    actions = ("terminate_selected",)
    fieldsets = (
        (None, {"fields": ("id", "username", "state", "started", "ended")}),
        (
            gettext_lazy("Where"),
            {"fields": ("cluster", "namespace", "pod", "container", "pod_uid", "node")},
        ),
        (
            gettext_lazy("As whom"),
            {"fields": ("address", "cluster_user", "cluster_groups", "grant")},
        ),
        (gettext_lazy("What"), {"fields": ("kind", "shell", "command", "bytes_out", "bytes_in")}),
        (
            gettext_lazy("End"),
            {
                "fields": (
                    "end_reason",
                    "end_message",
                    "exit_code",
                    "processes_left",
                    "end_requested",
                    "end_requested_by",
                    "end_requested_note",
                )
            },
        ),
    )

    def has_terminate_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may end other people's sessions."""
        return request.user.has_perm("terminal.terminate_terminalsession")

    @admin.display(description=gettext_lazy("where"), ordering="cluster")
    def where(self, session: TerminalSession) -> str:
        """Return the target in one column."""
        return str(session.target)

    @admin.display(description=gettext_lazy("ended because"), ordering="end_reason")
    def ended_because(self, session: TerminalSession) -> str:
        """Return the reason in words, or a dash while the session lives."""
        return session.get_end_reason_display() or "–"

    @admin.action(
        description=gettext_lazy("Terminate selected sessions"), permissions=["terminate"]
    )
    def terminate_selected(self, request: HttpRequest, queryset: QuerySet[TerminalSession]) -> None:
        """End the chosen sessions that are still open."""
        ended = sum(_terminate(request, session) for session in queryset)
        messages.success(request, _("%(count)s sessions are being ended.") % {"count": ended})

    def get_urls(self) -> list[Any]:
        """Add the address of the terminate button."""
        button = path(
            "<uuid:session_id>/terminate/",
            self.admin_site.admin_view(self.terminate_view),
            name="terminal_terminalsession_terminate",
        )
        return [button, *super().get_urls()]

    def terminate_view(self, request: HttpRequest, session_id: Any) -> HttpResponse:
        """End one session from its page (POST only)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        page = reverse("admin:terminal_terminalsession_change", args=[session_id])
        if not self.has_terminate_permission(request):
            messages.error(request, _("You may not terminate sessions."))
            return redirect(page)
        session = get_object_or_404(TerminalSession, pk=session_id)
        if _terminate(request, session, request.POST.get("reason", "").strip()):
            messages.success(request, _("The session is being ended."))
        else:
            messages.info(request, _("The session is over already."))
        return redirect(page)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the terminate button while the session is open."""
        session = self.get_object(request, unquote(object_id))
        is_open = (
            session is not None and session.state != State.ENDED and session.end_requested is None
        )
        context = {
            **(extra_context or {}),
            "can_terminate": is_open and self.has_terminate_permission(request),
        }
        return super().change_view(request, object_id, form_url, context)


def _terminate(request: HttpRequest, session: TerminalSession, note: str = "") -> bool:
    by = request.user.get_username()
    asked = lifecycle.request_end(session, by=by, reason=EndReason.TERMINATED, note=note)
    if asked:
        record(
            EventTag.SESSION_TERMINATE,
            user=request.user,
            address=address_of(request),
            target=session.target,
            session_id=session.id,
            data={"owner": session.username, "note": note[:NOTE_CHARACTERS]},
        )
    return asked
