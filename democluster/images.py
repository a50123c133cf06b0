"""Container images: which tools a container with a given image has.

There is no registry and nothing is unpacked. An image decides which directory is the `PATH` of
its containers, so that a container without bash, or without any shell, behaves like one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BINARY_DIRECTORIES = frozenset(SYSTEM_PATH.split(":"))
APPLET_LIST_SECONDS = 10.0
"""How long `busybox --list` may take."""

_FULL = frozenset(
    {"debian", "debian-slim", "ubuntu", "nginx", "python", "node", "fedora", "catalog", "checkout"}
    | {"payments", "runner", "dispatcher", "console", "greeter"}
)
_SMALL = frozenset({"busybox", "alpine", "sidecar"})
_BARE = {"pause": "pause", "static": "pause", "distroless": "pause", "ledger": "ledger"}
"""Images without any tool, and the one program that is in each."""

_PROGRAMS = {
    "pause": "exec {sleep} infinity\n",
    "ledger": (
        "n=0\nwhile :; do\n  n=$((n + 1))\n"
        '  echo "ledger: block $n sealed, 12 entries"\n  {sleep} 5\ndone\n'
    ),
}
"""Those programs. They name their tools by full path: the PATH of the container is empty."""

_SMALL_TOOLS = frozenset(
    (
        *("[", "awk", "base64", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd"),
        *("df", "dirname", "du", "echo", "env", "expr", "false", "find", "grep", "gunzip", "gzip"),
        *("head", "hostname", "id", "kill", "less", "ln", "ls", "md5sum", "mkdir", "mktemp", "mv"),
        *("nohup", "od", "printf", "ps", "pwd", "readlink", "rm", "rmdir", "sed", "seq", "setsid"),
        *("sh", "sha256sum", "sleep", "sort", "stat", "stty", "tail", "tar", "tee", "test"),
        *("timeout", "top", "touch", "tr", "true", "tty", "uname", "uniq", "vi", "wc", "which"),
        *("xargs", "yes"),
    )
)
"""What a small image has on a machine without busybox."""


class CommandNotStarted(Exception):
    """A command cannot be started. The text is what runc would say about it."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a container made from an image may run."""

    name: str
    binaries: Path | None
    """The only directory with commands; None: those of the machine."""
    command: tuple[str, ...]
    """What runs where the pod does not say."""

    @property
    def path(self) -> str:
        """The PATH of its containers."""
        return str(self.binaries) if self.binaries else SYSTEM_PATH

    def resolve(self, argv: list[str], path: str | None = None) -> str:
        """Return the file that runs for `argv`. Raises CommandNotStarted."""
        if not argv:
            raise CommandNotStarted("exec failed: args must not be empty")
        command = argv[0]
        if "/" in command:
            return self._resolve_path(command)
        found = shutil.which(command, path=path or self.path) if command else None
        if found is None:
            raise _not_started(command, "executable file not found in $PATH")
        return found

    def _resolve_path(self, command: str) -> str:
        file = Path(command)
        if command == self.command[0] and self.binaries:
            file = self.binaries / file.name
        if self.binaries and str(file.parent) in _BINARY_DIRECTORIES:
            file = self.binaries / file.name
        if not file.exists():
            raise _not_started(command, f"stat {command}: no such file or directory")
        if file.is_dir() or not os.access(file, os.X_OK):
            raise _not_started(command, "permission denied")
        return str(file)


class ImageStore:
    """The images that can be pulled, with their tools below one directory."""

    def __init__(self, directory: Path) -> None:
        self._small = directory / "small" / "bin"
        self._bare = directory / "bare" / "bin"
        if not self._small.exists():
            _link_small_tools(self._small)
        if not self._bare.exists():
            _write_programs(self._bare)

    def find(self, name: str) -> Image | None:
        """Return the image of that name, or None if no registry has it."""
        short = name.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]
        if short in _FULL:
            return Image(name, None, ("bash",))
        if short in _SMALL:
            return Image(name, self._small, ("sh",))
        if short in _BARE:
            return Image(name, self._bare, (f"/{_BARE[short]}",))
        return None


def _not_started(command: str, why: str) -> CommandNotStarted:
    return CommandNotStarted(
        f'exec failed: unable to start container process: exec: "{command}": {why}'
    )


def _link_small_tools(directory: Path) -> None:
    making = directory.with_name("bin.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    busybox = shutil.which("busybox", path=SYSTEM_PATH)
    if busybox:
        listed = subprocess.run(
            [busybox, "--list"],
            check=True,
            capture_output=True,
            text=True,
            timeout=APPLET_LIST_SECONDS,
        )
        tools = {name: busybox for name in listed.stdout.split() if name != "bash"}
    else:
        found = ((name, shutil.which(name, path=SYSTEM_PATH)) for name in _SMALL_TOOLS)
        tools = {name: path for name, path in found if path}
    for name, target in tools.items():
        (making / name).symlink_to(target)
    making.replace(directory)


def _write_programs(directory: Path) -> None:
    making = directory.with_name("bin.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    sleep = shutil.which("sleep", path=SYSTEM_PATH) or "sleep"
    for name, script in _PROGRAMS.items():
        program = making / name
        program.write_text("#!/bin/sh\n" + script.format(sleep=sleep))
        program.chmod(0o755)
    making.replace(directory)
