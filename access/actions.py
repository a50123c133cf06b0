"""What a grant may allow."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """One thing that a person may do to targets."""

    EXEC = "exec"
    """Start a process in a container."""
    ATTACH = "attach"
    """Join the main process of a container."""
    DEBUG = "debug"
    """Add a debug container to a pod."""
    VIEW = "view"
    """See and watch the sessions of others."""
    TERMINATE = "terminate"
    """End the sessions of others."""
