"""Make the virtual environment and the built pages, when they are not up to date."""

from __future__ import annotations

import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from deploy.demo.children import Children
from deploy.demo.stamp import Stamp, fingerprint

Lock = Literal["runtime", "dev"]

FRONTEND_SOURCES = (
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "tsconfig.app.json",
    "tsconfig.base.json",
    "tsconfig.core.json",
    "tsconfig.node.json",
    "src",
    "public",
)
"""What the built pages are made from, below frontend/."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what takes time, and how long it took."""
    print(f"{title} ...", end=" ", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f"{time.monotonic() - start:.0f} s", flush=True)


def prepare_python(children: Children, root: Path, logs: Path, lock: Lock) -> Path:
    """Make .venv hold what requirements/<lock>.txt lists. Returns its Python.

    The dev lock holds everything that the runtime lock holds, so it serves for both.
    """
    python = root / ".venv" / "bin" / "python"
    stamp = Stamp(root / ".venv" / ".hatchway-lock", python)
    prints = {name: _lock_fingerprint(root, name) for name in ("runtime", "dev")}
    if stamp.matches(prints[lock], prints["dev"]):
        return python
    stamp.clear()
    if not _is_this_python(root / ".venv"):
        with step("Making the virtual environment .venv"):
            make = [sys.executable, "-m", "venv", "--clear", str(root / ".venv")]
            children.run("python -m venv", make, log=logs / "venv.log")
    listed = root / "requirements" / f"{lock}.txt"
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    with step(f"Installing the Python packages of requirements/{lock}.txt"):
        command = [*pip, "install", "--require-hashes", "-r", listed]
        children.run("pip install", command, log=logs / "pip.log")
    stamp.write(prints[lock])
    return python


def prepare_node_modules(children: Children, root: Path, logs: Path) -> None:
    """Install what frontend/package-lock.json lists."""
    frontend = root / "frontend"
    modules = Stamp(frontend / "node_modules" / ".hatchway-lock", frontend / "node_modules")
    lock = fingerprint([frontend / "package-lock.json"])
    if modules.matches(lock):
        return
    modules.clear()
    with step("Installing the packages of the frontend"):
        children.run(
            "npm ci",
            [shutil.which("npm") or "npm", "ci", "--no-progress"],
            cwd=frontend,
            log=logs / "npm.log",
        )
    modules.write(lock)


def prepare_frontend(children: Children, root: Path, logs: Path) -> None:
    """Build the pages into static/dist."""
    frontend = root / "frontend"
    dist = root / "static" / "dist"
    stamp = Stamp(root / ".cache" / "frontend-build", dist / ".vite" / "manifest.json")
    sources = fingerprint(frontend / name for name in FRONTEND_SOURCES)
    if stamp.matches(sources):
        return
    prepare_node_modules(children, root, logs)
    stamp.clear()
    with step("Building the frontend"):
        children.run(
            "npm run build",
            [shutil.which("npm") or "npm", "run", "build"],
            cwd=frontend,
            log=logs / "build.log",
        )
    stamp.write(sources)


def _lock_fingerprint(root: Path, name: str) -> str:
    return fingerprint(
        [root / "requirements" / f"{name}.txt"], extra=f"{name} {platform.python_version()}"
    )


def _is_this_python(venv: Path) -> bool:
    """Whether `venv` was made by the Python that runs this, and still works."""
    config = venv / "pyvenv.cfg"
    if not config.is_file() or not (venv / "bin" / "python").exists():
        return False
    return f"version = {platform.python_version()}\n" in config.read_text("utf-8")
