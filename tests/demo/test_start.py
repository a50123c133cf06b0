"""The first file that runs needs nothing but sh, and finds a Python that is new enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

START = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "start"
OLD = """#!/bin/sh
case "$2" in *version_info*) exit 1 ;; esac
echo 'python3 is 3.9.2'
"""


def start(programs: Path) -> subprocess.CompletedProcess[str]:
    (programs / "dirname").symlink_to("/usr/bin/dirname")
    return subprocess.run(
        ["/bin/sh", str(START), "--help"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_machine_without_python_gets_one_line(programs: Path) -> None:
    done = start(programs)

    assert done.returncode == 1
    assert done.stderr == "Hatchway needs Python 3.11 or newer; there is no python3 on the PATH.\n"


def test_old_python_gets_one_line_with_its_version(programs: Path) -> None:
    (programs / "python3").write_text(OLD)
    (programs / "python3").chmod(0o755)

    done = start(programs)

    assert done.returncode == 1
    assert done.stderr == "Hatchway needs Python 3.11 or newer; python3 is 3.9.2.\n"


def test_newer_python_beside_an_old_one_is_found(programs: Path) -> None:
    (programs / "python3").write_text(OLD)
    (programs / "python3").chmod(0o755)
    (programs / "python3.12").symlink_to(sys.executable)

    done = start(programs)

    assert done.returncode == 0, done.stderr
    assert "--kubeconfig" in done.stdout
