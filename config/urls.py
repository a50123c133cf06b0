"""HTTP addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from config import views
from config.api import api

urlpatterns = [
    path("api/", api.urls),
    # One page changes passwords: it throttles, and what it does is on record.
    path("admin/password_change/", admin.site.admin_view(RedirectView.as_view(url="/account"))),
    path("admin/", admin.site.urls),
    path("healthz", views.health),
    # Every other address belongs to the frontend, which says itself what does not exist.
    re_path(r"^(?!api/|admin/|static/|ws/|healthz)", views.page),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
