"""What the interpreter is told before it serves."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
"""How long a thread may go on computing while another one wants the interpreter. The event loop
gives it up at each read and write; behind a database thread it would get it back only after
Python's 5 ms, each time: the echo of a key then waits for several of them."""


def serve_promptly() -> None:
    """Let the event loop wait for nobody longer than it must; call it when all is imported.

    What lives as long as the process is taken out of the garbage collector's rounds, which would
    otherwise look through all of it, 15 to 50 ms, while nobody's keys are echoed.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
