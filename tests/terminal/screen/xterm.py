"""Ask xterm.js, in Node, what it shows."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol.size import Size

_SCRIPT = Path(__file__).with_name("xterm_screen.mjs")
_MODULES = Path(__file__).resolve().parents[3] / "frontend" / "node_modules" / "@xterm"
_SECONDS = 120

Look = dict[str, Any]
"""One screen as `xterm_screen.mjs` describes it."""

Step = bytes | Size | None
"""What is done to the terminal: written to it, its new size, or None for a look."""


def missing() -> str:
    """Return what is missing on this machine, or an empty string."""
    if shutil.which("node") is None:
        return "needs Node (https://nodejs.org)"
    for name in ("headless", "addon-unicode11"):
        if not (_MODULES / name).is_dir():
            return f"needs @xterm/{name} (npm ci in frontend/)"
    return ""


def looks(cases: Sequence[tuple[Size, Sequence[Step]]]) -> list[list[Look]]:
    """Return for each case (size, steps) what xterm.js showed at each look."""
    items = [
        {"cols": size.cols, "rows": size.rows, "steps": [_step(step) for step in steps]}
        for size, steps in cases
    ]
    done = subprocess.run(
        ["node", str(_SCRIPT)],
        input=json.dumps(items).encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    result: list[list[Look]] = json.loads(done.stdout)
    return result


def _step(step: Step) -> dict[str, Any]:
    match step:
        case None:
            return {"look": True}
        case Size():
            return {"resize": [step.cols, step.rows]}
        case _:
            return {"write": base64.b64encode(step).decode()}
