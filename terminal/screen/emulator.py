"""The terminal emulator behind the screen model. Imported by the helper process alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from pyghostty._ffi import ffi, lib

from protocol.size import Size
from terminal.screen.drawing import spare_halves
from terminal.screen.errors import UnreadableState
from terminal.screen.limits import CONTINUATION_BYTES, PIECE_BYTES, SCROLLBACK_LINES
from terminal.screen.native import read_picture
from terminal.screen.picture import Picture

# Modes that the browser's terminal does not have. A program may ask for them; the model must not
# follow, or it would show what no browser shows: 132 columns, left and right margins, clusters.
_FOREIGN_MODES = (40, 69, 2027)
_FOREIGN_SET = re.compile(rb"\x1b\[\?[0-9;]*(?:40|69|2027)[0-9;]*h")
# Insert, origin, autowrap, reverse wrap and its extended form.
_PLAIN_MODES = (
    ((4, True), False),
    ((6, False), False),
    ((7, False), True),
    ((45, False), False),
    ((1045, False), False),
)
_CELL_PIXELS = (8, 16)
# What an unfinished sequence that is too long to keep is replaced by, by its second byte: cancel
# it, and begin one of the same kind that nothing implements. A terminal drops them too.
_CANCEL = b"\x18"
_CLEAR = _CANCEL + b"\x1b[2J\x1b[?47%c\x1b[2J\x1b[?47%c"
_ENDLESS = {
    ord("]"): b"\x1b]7777;",
    ord("P"): b"\x1bP0z",
    ord("_"): b"\x1b_0",
    ord("^"): b"\x1b^0",
    ord("X"): b"\x1bX0",
    ord("["): b"\x1b[>0;",
}


class Emulator(Protocol):
    """An exact model of one terminal. Not for two threads at once."""

    def feed(self, data: bytes) -> None:
        """Consume output. Never answers a query."""
        ...

    def resize(self, size: Size) -> None:
        """Change the size as the browser's terminal does, reflowing the primary screen."""
        ...

    def picture(self) -> Picture:
        """Return everything that can be drawn again. Raises UnreadableState."""
        ...

    def is_ground(self) -> bool:
        """Return whether no sequence and no character is unfinished."""
        ...

    def is_plain(self) -> bool:
        """Return whether plain text does nothing but print and scroll (see `shortcut.py`)."""
        ...

    def keyframe(self) -> bytes:
        """Return the state for `restore`, exact to the last hidden flag."""
        ...

    def close(self) -> None:
        """Free the memory. Nothing else may be called after it."""
        ...


class GhosttyEmulator:
    """Ghostty's terminal core (libghostty-vt), which xterm.js agrees with in all common matters.

    Where the two differ is listed in `tests/terminal/screen/test_against_xterm.py`.
    """

    def __init__(self, size: Size) -> None:
        terminal = ffi.new("GhosttyTerminal*")
        _check(lib.ghostty_terminal_new(ffi.NULL, terminal, size.cols, size.rows), "new")
        self._adopt(terminal[0], size)
        self._set(lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_LINES, "size_t", SCROLLBACK_LINES)

    @classmethod
    def restore(cls, keyframe: bytes) -> GhosttyEmulator:
        """Return an emulator in the state of `keyframe`. Raises UnreadableState."""
        decoder = ffi.new("GhosttySnapshotDecoder*")
        _check(
            lib.ghostty_snapshot_decoder_new_buf(ffi.NULL, decoder, keyframe, len(keyframe)),
            "decoder",
        )
        try:
            terminal = ffi.new("GhosttyTerminal*")
            for option, ctype, value in (
                (
                    lib.GHOSTTY_SNAPSHOT_DECODER_OPT_MAX_CONTINUATION_BYTES,
                    "size_t",
                    CONTINUATION_BYTES,
                ),
                (lib.GHOSTTY_SNAPSHOT_DECODER_OPT_RETAIN_CONTINUATION, "bool", True),
            ):
                _check(
                    lib.ghostty_snapshot_decoder_set(
                        decoder[0], option, ffi.new(f"{ctype}*", value)
                    ),
                    "decoder option",
                )
            _check(lib.ghostty_snapshot_decoder_decode(decoder[0], terminal), "decode")
        finally:
            lib.ghostty_snapshot_decoder_free(decoder[0])
        found = cls.__new__(cls)
        cols, rows = ffi.new("uint16_t*"), ffi.new("uint16_t*")
        lib.ghostty_terminal_get(terminal[0], lib.GHOSTTY_TERMINAL_DATA_COLS, cols)
        lib.ghostty_terminal_get(terminal[0], lib.GHOSTTY_TERMINAL_DATA_ROWS, rows)
        found._adopt(terminal[0], Size(cols[0], rows[0]))
        return found

    def _adopt(self, terminal: Any, size: Size) -> None:
        self._terminal = terminal
        self._size = size
        self._ground = ffi.new("bool*")
        self._mode = ffi.new("GhosttyTerminalModeConfig*")
        self._set(lib.GHOSTTY_TERMINAL_OPT_CONTINUATION_MAX_BYTES, "size_t", CONTINUATION_BYTES)
        self._set(lib.GHOSTTY_TERMINAL_OPT_KITTY_IMAGE_STORAGE_LIMIT, "uint64_t", 0)

    @property
    def size(self) -> Size:
        """The present size."""
        return self._size

    def _set(self, option: int, ctype: str, value: int) -> None:
        _check(lib.ghostty_terminal_set(self._terminal, option, ffi.new(f"{ctype}*", value)), "set")

    def feed(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            at = 0
            if not self.is_ground():
                at = self._finish_sequence(piece)
                self._refuse_foreign_modes()
            for found in _FOREIGN_SET.finditer(piece, at):
                self._write(piece[at : found.end()])
                self._refuse_foreign_modes()
                at = found.end()
            if at < len(piece):
                self._write(piece[at:] if at else piece)
            self._refuse_foreign_modes()
            if not self.is_ground():
                self._shorten()

    def _write(self, data: bytes) -> None:
        lib.ghostty_terminal_vt_write(self._terminal, data, len(data))

    def _finish_sequence(self, data: bytes) -> int:
        """Feed what finishes the sequence in progress; return how many bytes that were."""
        consumed = ffi.new("size_t*")
        result = lib.ghostty_terminal_vt_write_until_ground(
            self._terminal, data, len(data), consumed
        )
        return len(data) if result == lib.GHOSTTY_NO_VALUE else int(consumed[0])

    def _shorten(self) -> None:
        """Replace an unfinished sequence that could outgrow what is kept with the next piece."""
        known = self._continuation()
        if len(known) + PIECE_BYTES > CONTINUATION_BYTES:
            again = _CANCEL + _ENDLESS.get(known[1], known[:2])
            self._write(again)

    def _refuse_foreign_modes(self) -> None:
        for number in _FOREIGN_MODES:
            self._mode.mode = number
            lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_MODE, self._mode)
            if self._mode.value:
                self._mode.value = False
                lib.ghostty_terminal_set(self._terminal, lib.GHOSTTY_TERMINAL_OPT_MODE, self._mode)
                self.resize(self._size)

    def is_ground(self) -> bool:
        lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_VT_GROUND, self._ground)
        return bool(self._ground[0])

    def resize(self, size: Size) -> None:
        if size.cols < self._size.cols:
            # Ghostty would keep their first halves, which it can then neither encode nor draw.
            self._write(spare_halves(self.picture(), size.cols))
        self._size = size
        _check(
            lib.ghostty_terminal_resize(self._terminal, size.cols, size.rows, *_CELL_PIXELS),
            "resize",
        )

    def picture(self) -> Picture:
        return read_picture(self.keyframe(), self._continuation())

    def _continuation(self) -> bytes:
        """Return the bytes of the sequence or character that is not finished."""
        if self.is_ground():
            return b""
        return _filled(
            lambda buffer, length, written: lib.ghostty_terminal_continuation_buf(
                self._terminal, buffer, length, written
            )
        )

    def is_plain(self) -> bool:
        if not self.is_ground():
            return False
        picture = self.picture()
        return (
            picture.region == (0, picture.size.rows - 1)
            and set(picture.active.charsets.slots) <= {0, 1}
            and not picture.active.charsets.single_shift
            and all(picture.is_set(*mode) == value for mode, value in _PLAIN_MODES)
        )

    def keyframe(self) -> bytes:
        try:
            return self._encode()
        except UnreadableState:
            # Hostile streams find ways to a grid that contradicts itself. Cleared screens are
            # better than none for the rest of the session.
            there, back = b"lh" if self._is_alternate() else b"hl"
            self._write(_CLEAR % (there, back))
            return self._encode()

    def _is_alternate(self) -> bool:
        screen = ffi.new("GhosttyTerminalScreen*")
        data = lib.GHOSTTY_TERMINAL_DATA_ACTIVE_SCREEN
        _check(lib.ghostty_terminal_get(self._terminal, data, screen), "get")
        return bool(screen[0] == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE)

    def _encode(self) -> bytes:
        return _filled(
            lambda buffer, length, written: lib.ghostty_snapshot_encode_buf(
                self._terminal, buffer, length, written
            )
        )

    def close(self) -> None:
        lib.ghostty_terminal_free(self._terminal)
        self._terminal = ffi.NULL


def _check(result: int, what: str) -> None:
    if result != lib.GHOSTTY_SUCCESS:
        raise UnreadableState(f"{what} failed with {result}")


def _filled(call: Callable[[Any, int, Any], int]) -> bytes:
    """Ask for the size, then for the bytes."""
    written = ffi.new("size_t*")
    result = call(ffi.NULL, 0, written)
    if result not in (lib.GHOSTTY_SUCCESS, lib.GHOSTTY_OUT_OF_SPACE):
        raise UnreadableState(f"result {result}")
    if not written[0]:
        return b""
    buffer = ffi.new("uint8_t[]", written[0])
    _check(call(buffer, written[0], written), "encoding")
    return bytes(ffi.buffer(buffer, written[0]))
