"""What this app tells the apps above it, without knowing them."""

from __future__ import annotations

from django.dispatch import Signal

target_used = Signal()
"""Sent when a person opened a container: `user_id`, `target`, `kind`, `shell`, `program`."""

program_known = Signal()
"""Sent when it is known which shell `auto` became: `user_id`, `target`, `program`."""
