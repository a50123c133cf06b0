"""The admin site: Django's own, signed in to like everything else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class HatchwayAdminSite(AdminSite):
    """Leaves signing in to the one page that throttles it."""

    site_title = _("Hatchway administration")
    site_header = _("Hatchway")
    index_title = _("Administration")
    site_url = "/"
    enable_nav_sidebar = True

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send whoever is not signed in to the sign-in page, and refuse whoever is no staff."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied
        following = request.GET.get("next", "/admin/")
        return redirect(f"/sign-in?{urlencode({'next': following})}")
