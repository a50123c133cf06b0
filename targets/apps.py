"""The targets app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TargetsConfig(AppConfig):
    """Favourites, recents, preferences and the live tree."""

    name = "targets"
    verbose_name = _("Targets")

    def ready(self) -> None:
        """Listen to what is opened."""
        from targets import recents

        recents.connect()
