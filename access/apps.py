"""The access app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """Names the app and connects its receivers."""

    name = "access"
    verbose_name = _("Access")

    def ready(self) -> None:
        """Connect the receivers of Django's account signals."""
        from access import login

        login.connect()
