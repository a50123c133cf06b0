"""What this app tells the apps above it, without knowing them."""

from __future__ import annotations

from django.dispatch import Signal

login_ended = Signal()
"""Sent when a person signs out: `user_id`, `login_key`. Sessions of that login session end."""

target_used = Signal()
"""Sent when a person opened a container: `user_id`, `target`, `kind`, `shell`."""
