"""What is started in a container: the shell selector's choice as an argv, and what to try next.

Every command starts through one fixed script that marks the process, so that the session can
later end everything it started. The person's own words never become part of a script: they are
argv elements behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MARKER_VARIABLE = "HATCHWAY_SESSION"
"""The environment variable that carries a session's marker into every process it starts."""

_SETUP = (
    f'export {MARKER_VARIABLE}="$1"; shift; '
    'export TERM=xterm-256color; [ -n "$LANG$LC_ALL$LC_CTYPE" ] || export LANG=C.UTF-8; '
    # Right size from the first prompt: the resize frame may come after the shell has asked.
    'stty cols "$1" rows "$2" 2>/dev/null; shift 2; '
)
_AUTO = _SETUP + "command -v bash >/dev/null 2>&1 && exec bash; exec sh"
_NAMED = _SETUP + 'exec "$@"'

_SHELLS = ("sh", "/bin/sh", "/bin/bash", "/busybox/sh")
"""Interpreters tried one after another for the fixed script."""


class Shell(StrEnum):
    """The shell selector."""

    AUTO = "auto"
    BASH = "bash"
    SH = "sh"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Launch:
    """Which shell was asked for, and the argv of a `custom` one."""

    shell: Shell
    command: tuple[str, ...] = ()

    def attempts(self, marker: str, cols: int, rows: int) -> Sequence[tuple[str, ...]]:
        """Return the argvs to try in order; the next one only when the first word was not found.

        A custom command in a container without any shell is started as it is, without a marker.
        """
        words = (marker, str(cols), str(rows))
        match self.shell:
            case Shell.AUTO:
                return [(sh, "-c", _AUTO, "hatchway", *words) for sh in _SHELLS]
            case Shell.BASH:
                return [
                    (sh, "-c", _NAMED, "hatchway", *words, "bash") for sh in ("bash", "/bin/bash")
                ]
            case Shell.SH:
                return [(sh, "-c", _NAMED, "hatchway", *words, sh) for sh in _SHELLS[:2]] + [
                    ("/busybox/sh", "-c", _NAMED, "hatchway", *words, "/busybox/sh")
                ]
            case Shell.CUSTOM:
                marked = [(sh, "-c", _NAMED, "hatchway", *words, *self.command) for sh in _SHELLS]
                return [*marked, self.command]
