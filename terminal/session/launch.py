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
_AUTO_SHELLS = ("bash", "sh")
_ANNOUNCED = {f"\033]7737;hatchway={shell}\033\\".encode(): shell for shell in _AUTO_SHELLS}
"""The first bytes of an `auto` launch, before any of its shell's. They never leave Hatchway."""


def _saying(shell: str) -> str:
    return f"printf '\\033]7737;hatchway={shell}\\033\\\\' 2>/dev/null; exec {shell}"


_AUTO = (
    _SETUP + f"if command -v bash >/dev/null 2>&1; then {_saying('bash')}; else {_saying('sh')}; fi"
)
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

    @property
    def program(self) -> str:
        """What will run, as far as that is known before it does: `auto` is not."""
        return self.command[0] if self.shell is Shell.CUSTOM else self.shell.value

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


class Announcement:
    """Takes from the first output of an `auto` launch which shell it became.

    Whatever is not the announcement, exactly and from the first byte, is output.
    """

    def __init__(self) -> None:
        self._held = b""
        self.shell: str | None = None
        """Known once the announcement was seen."""
        self.is_over = False
        """Whether everything from here on is output."""

    def take(self, data: bytes) -> bytes:
        """Return what of `data`, and of what was held back before, is output."""
        self._held += data
        for announced, shell in _ANNOUNCED.items():
            if self._held.startswith(announced):
                self.shell = shell
                return self.rest().removeprefix(announced)
        if any(announced.startswith(self._held) for announced in _ANNOUNCED):
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """Return what was held back: no more is coming, or it was no announcement."""
        self.is_over = True
        rest, self._held = self._held, b""
        return rest
