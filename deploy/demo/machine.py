"""Look at the machine before anything is installed on it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping

from deploy.demo.errors import StartError

LEAST_NODE = (20, 19)
"""What Vite 8 asks for; older ones fail in the middle of the build with a syntax error."""
DEFAULT_PORT = 8000
ADDRESS = "127.0.0.1"
"""Loopback alone: the demo cluster gives whoever reaches it a shell on this machine."""
NODE_SECONDS = 20
"""How long `node --version` may take on a busy machine."""


def check_python() -> None:
    """Raise StartError where Python came without the modules that make a virtual environment."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise StartError(
                f"This Python has no module {module}. On Debian: apt-get install python3-venv"
            )


def check_node() -> None:
    """Raise StartError unless a new enough Node and npm are on the PATH."""
    least = ".".join(map(str, LEAST_NODE))
    need = f"Hatchway needs Node {least} or newer to build its pages"
    node = shutil.which("node")
    if node is None:
        raise StartError(f"{need}; there is no node on the PATH.")
    try:
        answer = subprocess.run(  # noqa: S603
            [node, "--version"], capture_output=True, text=True, timeout=NODE_SECONDS, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    version = re.fullmatch(r"v(\d+)\.(\d+)\.\S+", answer)
    if version is None:
        raise StartError(f"{need}; {node} does not say which version it is.")
    if (int(version[1]), int(version[2])) < LEAST_NODE:
        raise StartError(f"{need}; {node} is {answer}.")
    if shutil.which("npm") is None:
        raise StartError(f"{need}, and npm with it; there is no npm on the PATH.")


def read_port(environ: Mapping[str, str]) -> int:
    """Return the port that HATCHWAY_PORT names (1 to 65535), 8000 without it."""
    text = environ.get("HATCHWAY_PORT", "").strip() or str(DEFAULT_PORT)
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise StartError(f"HATCHWAY_PORT is {text!r}; use a number from 1 to 65535.")
    return int(text)


def check_port(port: int) -> None:
    """Raise StartError when `port` cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise StartError(
                f"Port {port} on {ADDRESS} cannot be used ({error.strerror}). "
                f"Choose another one: HATCHWAY_PORT={port + 1 if port < 65535 else 8080} make demo"
            ) from None


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        number: int = probe.getsockname()[1]
        return number
