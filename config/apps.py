"""The composition as a Django app: checks, and our admin site in place of Django's."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CompositionConfig(AppConfig):
    """Registers the checks of the configuration."""

    name = "config"

    def ready(self) -> None:
        """Register what is checked before serving."""
        import_module("config.checks")


class HatchwayAdminConfig(AdminConfig):
    """Django's admin with our site class."""

    default_site = "config.admin_site.HatchwayAdminSite"
