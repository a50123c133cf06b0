"""Every number of the session core, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

SCROLLBACK_BYTES = 2 * MIB
"""Kept per session for those who come back: about ten thousand full lines. Full: oldest dropped;
whoever needs them is given the exact screen instead."""

SCREEN_BACKLOG_BYTES = 3 * MIB
"""Output that the screen model has not consumed yet. Above it the upstream read slows down to the
model's speed, so that one flood cannot fill the memory. The budget for a flood is 8 MiB."""

SCREEN_BACKLOG_INTERRUPTED_BYTES = 24 * MIB
"""The same bound right after an interrupt key: what API server, kubelet and runtime may still hold
(7 to 22 MiB measured) is read at full speed, so that the prompt comes at once."""

INTERRUPT_SECONDS = 2.0
"""How long an interrupt key lifts the slowing down and lets a view that is behind skip."""

INTERRUPT_KEYS = b"\x03\x1a\x1c"
"""Ctrl-C, Ctrl-Z, Ctrl-backslash."""

TURN_BYTES = 64 * KIB
"""What one session may read before the others have their turn; also the largest output frame."""

FLOOD_SECONDS = 0.02
"""Two turns of one session within this time are a flood: 3 MB/s."""

INPUT_BYTES = 256 * KIB
"""Input accepted and not yet delivered to the container. More is the client's fault (4413)."""

INPUT_ACK_BYTES = 16 * KIB
"""Delivered input is acknowledged at once above this, else within INPUT_ACK_SECONDS: a keystroke
must not cost a frame of its own."""

INPUT_ACK_SECONDS = 0.2

STDIN_PIECE_BYTES = 32 * KIB
"""One stdin frame towards the cluster (its own frames are 32 KiB too)."""

CONTROL_MESSAGES = 256
"""Control messages that wait for one view. Full: its socket is closed, for it reads nothing."""

RESIZE_SECONDS = 0.1
"""Least time between two resizes towards the container: at most ten a second, the latest wins."""

CLOSE_SECONDS = 2.0
"""How long the sockets of an ended session may take to read their last bytes at a shutdown."""

POD_CHECK_SECONDS = 8.0
"""How often the pod is looked at, so that a frozen stream of a vanished pod is noticed in 10 s."""

GUARD_SECONDS = 1.0
"""How often all live sessions are checked for a terminate request or a right taken away."""

LINGER_SECONDS = 30.0
"""How long an ended session still tells a returning view its last bytes and why it ended."""

SNAPSHOT_RETRY_SECONDS = 0.5
"""Pause before the screen is asked for again when it was not available."""

SNAPSHOT_TRIES = 4
"""How often a view of an ended session asks for a last screen before it is told the end without."""

INSPECT_SECONDS = 10.0
"""How long looking at the pod may take; after that nobody can tell."""

LOOK_AGAIN_SECONDS = (0.0, 1.0, 2.0)
"""Pauses before each look at a container whose process was killed: its state is published up to two
seconds after its processes have ended."""

REAP_SECONDS = 30.0
"""How long ending a session's processes in the container may take before it is given up."""

LEDGER_SECONDS = 10.0
"""How long one entry in the durable record may take. Longer: it is logged, and the host
finds the row without an end later."""

SENTINEL_SECONDS = 10.0
"""How long one round of the guard may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator may set. Seconds; 0 switches a limit off where noted."""

    detach_grace_seconds: float = 600.0
    """How long a session lives without its owner's socket."""
    idle_seconds: float = 0.0
    """How long an owner may type nothing; 0: for ever."""
    max_seconds: float = 86_400.0
    """How long a session may live at all; 0: for ever."""
    open_seconds: float = 15.0
    """How long the cluster may take to open a stream."""
