"""What keeps a demonstration from starting, said in one line."""

from __future__ import annotations


class StartError(Exception):
    """A sentence for the person at the keyboard: what is wrong and what to do."""


class Stopped(Exception):
    """Somebody asked the runner to end (Ctrl-C, SIGTERM, a closed terminal)."""
