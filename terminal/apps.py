"""The app of terminal sessions."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TerminalConfig(AppConfig):
    """Sessions, their participants and the hosts that hold them."""

    name = "terminal"
    verbose_name = _("Terminal sessions")
    default_auto_field = "django.db.models.BigAutoField"
