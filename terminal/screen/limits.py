"""Every number of the screen model, with its unit and its reason."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

SCROLLBACK_LINES = 100
"""Lines above the screen that the model keeps: a terminal that grows pulls them back into view, as
the browser's does. While output comes there may be several times as many, for Ghostty drops them
by the page; when it has gone quiet there are at most twice as many."""

CONTINUATION_BYTES = 64 * KIB
"""An unfinished escape sequence up to this length is part of a snapshot. A longer one (an endless
title) is replaced by the start of a sequence of the same kind that every terminal ignores."""

PIECE_BYTES = 32 * KIB
"""Fed to the emulator in one call: below CONTINUATION_BYTES, so that the start of every unfinished
sequence has been seen; 2 ms of the slowest stream."""

SNAPSHOT_BYTES = MIB
"""A snapshot has no more bytes (docs/protocol.md); a usual one has 1 to 20 KiB."""

TITLE_BYTES = KIB
"""Of a title this much is drawn: nobody shows more."""

TURN_BYTES = 64 * KIB
"""What one session is really fed before the next has its turn: about 4 ms of the slowest stream,
so that a snapshot beside two floods waits well under 20 ms."""

SHORTCUT_BYTES = 64 * KIB
"""Backlog from which a plain flood is worth a look for its tail."""

SHORTCUT_MOST_BYTES = MIB
"""How much of a plain backlog is looked at in one turn: 2 ms even when it is in vain."""

HELPER_READ_BYTES = 256 * KIB
"""What the helper takes from its socket at once."""

SOCKET_BUFFER_BYTES = MIB
"""Kernel buffer of the socket between server and helper: a turn of every session fits."""

FRAME_BYTES = 16 * MIB
"""No frame between server and helper is longer. The largest is the keyframe of 500 × 300 styled
cells, 8 bytes each, twice, plus scrollback."""

KEYFRAME_AFTER_BYTES = 512 * KIB
"""A keyframe is taken when this much was consumed since the last one: rebuilding a model after the
helper's death then costs at most 30 ms for each session, and a flood keeps little more."""

KEYFRAME_QUIET_BYTES = 4 * KIB
"""A stream that went quiet keeps no more than this; above it a keyframe (a few KiB) replaces it,
and the model gives back the memory of lines that have left the scrollback."""

MODEL_AFTER_BYTES = KEYFRAME_QUIET_BYTES
"""A screen is modelled from this much output on, or when somebody wants to see it: a terminal in
the helper takes 19 KiB, and a shell that was only opened has said less."""

MODEL_AFTER_PIECES = 64
"""The same in pieces, for resizes are kept one by one."""

QUIET_SECONDS = 1.0
"""Silence after which a stream counts as quiet."""

KEPT_BYTES = 32 * MIB
"""Bytes kept for one session while there is no helper to consume them: above the session's own
backlog limit with an interrupted flood. Beyond it the oldest are dropped and the model is rebuilt
from what is left, which is exact again after the next redraw."""

JOIN_BELOW_BYTES = 4 * KIB
"""Pieces smaller than this are kept joined: a million echoes are not a million objects."""

SNAPSHOT_SECONDS = 2.0
"""How long a snapshot may take before it is reported as unavailable."""

RESTART_FIRST_SECONDS, RESTART_MOST_SECONDS = 0.1, 5.0
"""Pause before the helper is started again: doubled each time up to the second number."""

STEADY_SECONDS = 30.0
"""A helper that lived this long starts the pauses from the beginning."""

STUCK_SECONDS = 10.0
"""A helper that has work and says nothing for this long is killed."""

STRIKES = 4
"""How often in a row the helper may die while one session is rebuilt before its past is dropped.
More than two, for a helper can also be killed from outside at that moment."""

DRAIN_WITHOUT_HELPER_SECONDS = 1.0
"""How long a flood waits for a helper that is being started again; then it goes on, and what is
kept for the model is bounded by KEPT_BYTES instead."""

FEED_FRAME_BYTES = 256 * KIB
"""Output in one frame."""

HOLD_BYTES = 192 * KIB
"""Output that is held back before it is kept and sent to the helper in one piece. A process that is
woken for every echo costs more than the echo; a flood in large pieces can be cut to its tail, and
pieces of one size leave no holes in the memory. With the piece that fills it it is one frame. Of a
plain flood the tail is held further, and the next one takes its place."""

HOLD_SECONDS = 0.05
"""The longest that output is held back. A snapshot, a resize or a drain sends it at once."""

HELPER_ADDRESS_BYTES = 8 * 1024 * MIB
"""Address space of the helper. A terminal reserves about 1.5 MiB and touches 12 KiB of it."""

HELPER_FILES = 16
"""Open files of the helper: its socket and three for the interpreter."""

HELPER_NICENESS = 5
"""The byte path goes first: a snapshot may be late, an echo may not."""
