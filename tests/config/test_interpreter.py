"""A server's interpreter is told to serve promptly, under both servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from config.interpreter import SWITCH_SECONDS
from tests.e2e.running import ROOT, environment


def test_a_server_gives_its_event_loop_the_interpreter_back_soon(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("{apiVersion: v1, kind: Config}")
    program = "import gc, sys, config.asgi; print(sys.getswitchinterval(), gc.get_freeze_count())"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path, 1, kubeconfig),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seconds, frozen = done.stdout.split()
    assert float(seconds) == SWITCH_SECONDS
    assert int(frozen) > 50_000
