"""What `make` promises without running it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str, **environ: str) -> str:
    """Return what `make` prints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    kept.pop("KUBECONFIG", None)
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def test_help_lists_every_command() -> None:
    commands = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    listed = set(re.findall(r"^  make ([a-z]+) +\S", make("help"), re.MULTILINE))

    assert listed == commands
    assert {"help", "demo", "dev", "test", "check", "bench", "system", "lock"} <= listed


def test_kubeconfig_is_used_when_it_is_said() -> None:
    assert '--kubeconfig "/some where"' in make("-n", "demo", "KUBECONFIG=/some where")


def test_kubeconfig_of_the_environment_is_somebody_elses() -> None:
    assert "--kubeconfig" not in make("-n", "demo", KUBECONFIG="/some/where")
