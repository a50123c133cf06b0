"""The helper process: the emulators of all sessions behind one socket.

It holds no credential and can reach nothing: a clean environment, no file but its socket (which is
its standard input), limits on memory and files, no core dump, and it dies with the server. It feeds
the sessions in turns, so that one flood does not delay another's snapshot.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import zlib
from collections import deque
from dataclasses import dataclass, field

from protocol.size import DEFAULT_SIZE, Size
from terminal.screen import wire
from terminal.screen.compact import compact
from terminal.screen.drawing import draw, text
from terminal.screen.emulator import Emulator, GhosttyEmulator
from terminal.screen.errors import BrokenFrame, ScreenError
from terminal.screen.limits import (
    HELPER_ADDRESS_BYTES,
    HELPER_FILES,
    HELPER_NICENESS,
    HELPER_READ_BYTES,
    SCROLLBACK_LINES,
    SHORTCUT_BYTES,
    SHORTCUT_MOST_BYTES,
    TURN_BYTES,
)
from terminal.screen.shortcut import is_plain, shorten
from terminal.screen.wire import Kind, Position, Snapshot, Tail, frame

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_FASTEST = 1
"""zlib level: a keyframe is mostly repetition."""


@dataclass(slots=True)
class _Output:
    """Bytes that wait to be fed."""

    data: bytes
    _plain: bool | None = None

    @property
    def is_plain(self) -> bool:
        if self._plain is None:
            self._plain = is_plain(self.data)
        return self._plain


@dataclass(frozen=True, slots=True)
class _SnapshotRequest:
    request: int
    scrollback: int


@dataclass(frozen=True, slots=True)
class _KeyframeRequest:
    compacts: bool


@dataclass(slots=True)
class _Model:
    """One session: its emulator, how far it is, and what waits for it."""

    emulator: Emulator
    size: Size
    position: Position
    reported: Position | None = None
    """What the server was told last; None before it heard that the model is open."""
    is_plain: bool | None = None
    """What the emulator said when it was asked last; None when something since may have changed it.
    Plain output changes nothing about it, so a long flood asks once."""
    queue: deque[_Output | Tail | Size | _SnapshotRequest | _KeyframeRequest] = field(
        default_factory=deque
    )


class Helper:
    """Serves one socket until it closes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()
        self._models: dict[int, _Model] = {}
        self._busy: deque[int] = deque()

    def run(self) -> None:
        """Return when the server has closed the socket. Raises ScreenError when it cannot go on."""
        while True:
            readable, _, _ = select.select([self._connection], [], [], 0 if self._busy else None)
            if readable:
                data = self._connection.recv(HELPER_READ_BYTES)
                if not data:
                    return
                self._received += data
                self._take_frames()
            if self._busy:
                session = self._busy.popleft()
                model = self._models.get(session)
                if model is not None:
                    self._turn(session, model)
                    if model.queue:
                        self._busy.append(session)

    def _take_frames(self) -> None:
        at = 0
        with memoryview(self._received) as view:
            while len(view) - at >= wire.HEADER.size:
                start = at + wire.HEADER.size
                session, kind, length = wire.read_header(view[at:start])
                if len(view) - start < length:
                    break
                at = start + length
                self._take(session, kind, bytes(view[start:at]))
        del self._received[:at]

    def _take(self, session: int, kind: Kind, payload: bytes) -> None:
        if kind is Kind.OPEN:
            position, rest = wire.read_position(payload)
            size = wire.read_size(rest)
            self._open(session, GhosttyEmulator(size), position)
            return
        if kind is Kind.RESTORE:
            position, keyframe = wire.read_position(payload)
            self._open(session, GhosttyEmulator.restore(zlib.decompress(keyframe)), position)
            return
        model = self._models.get(session)
        if model is None:
            raise BrokenFrame(f"session {session} is not open")
        if kind is Kind.CLOSE:
            del self._models[session]
            model.emulator.close()
            return
        if not model.queue:
            self._busy.append(session)
        match kind:
            case Kind.FEED:
                model.queue.append(_Output(payload))
            case Kind.TAIL:
                model.queue.append(wire.read_tail(payload))
            case Kind.RESIZE:
                model.queue.append(wire.read_size(payload))
            case Kind.SNAPSHOT:
                model.queue.append(_SnapshotRequest(*wire.read_request(payload)))
            case Kind.KEYFRAME:
                model.queue.append(_KeyframeRequest(compacts=payload == wire.COMPACT))
            case _:
                raise BrokenFrame(f"kind {kind} is not for the helper")

    def _open(self, session: int, emulator: GhosttyEmulator, position: Position) -> None:
        model = _Model(emulator, emulator.size, position)
        self._models[session] = model
        self._report(session, model)

    def _turn(self, session: int, model: _Model) -> None:
        """Work on one session until its turn is over or nothing waits."""
        left = TURN_BYTES
        while model.queue and left > 0:
            match model.queue[0]:
                case _Output():
                    left -= self._feed(model, left)
                case Tail(data, stands_for):
                    model.queue.popleft()
                    self._fed(model, data, stands_for)
                    left -= len(data)
                case Size() as size:
                    model.queue.popleft()
                    model.emulator.resize(size)
                    model.size = size
                    model.is_plain = None
                    model.position = Position(model.position.offset, model.position.resizes + 1)
                case _SnapshotRequest() as request:
                    model.queue.popleft()
                    self._report(session, model)
                    self._send(session, *_snapshot(model, request))
                case _KeyframeRequest() as keyframe:
                    model.queue.popleft()
                    self._report(session, model)
                    self._send(session, *_keyframe(model, keyframe))
        self._report(session, model)

    def _report(self, session: int, model: _Model) -> None:
        """Tell how far the session is, before any answer that shows it."""
        if model.position != model.reported:
            model.reported = model.position
            is_plain = model.is_plain is True and model.emulator.is_ground()
            self._send(session, Kind.CONSUMED, wire.pack_consumed(model.position, is_plain))

    def _feed(self, model: _Model, most: int) -> int:
        """Feed up to `most` bytes, or a whole plain flood; return how many really went in."""
        flood = _flood(model)
        if flood is not None:
            frames, data, short = flood
            for _ in range(frames):
                model.queue.popleft()
            self._fed(model, short, len(data))
            return len(short)
        output = model.queue.popleft()
        assert isinstance(output, _Output)
        data = output.data[:most]
        if model.is_plain is not None and not output.is_plain:
            model.is_plain = None
        if len(data) < len(output.data):
            rest = _Output(output.data[most:], True if output.is_plain else None)
            model.queue.appendleft(rest)
        self._fed(model, data, len(data))
        return len(data)

    def _fed(self, model: _Model, data: bytes, stands_for: int) -> None:
        model.emulator.feed(data)
        model.position = Position(model.position.offset + stands_for, model.position.resizes)

    def _send(self, session: int, kind: Kind, payload: bytes) -> None:
        # The server reads at all times, so this waits for its event loop at most.
        self._connection.sendall(frame(session, kind, payload))


def _flood(model: _Model) -> tuple[int, bytes, bytes] | None:
    """Return how many frames of plain output wait, their bytes, and what may be fed instead."""
    waiting = 0
    frames: list[bytes] = []
    for item in model.queue:
        if not isinstance(item, _Output) or not item.is_plain or waiting >= SHORTCUT_MOST_BYTES:
            break
        frames.append(item.data)
        waiting += len(item.data)
    if waiting < SHORTCUT_BYTES:
        return None
    if not _takes_shortcuts(model):
        return None
    data = b"".join(frames)
    short = shorten(data, model.size.rows)
    return None if short is None else (len(frames), data, short)


def _takes_shortcuts(model: _Model) -> bool:
    """Return whether the emulator is in its plain state, and nothing is unfinished."""
    if not model.emulator.is_ground():
        return False
    if model.is_plain is None:
        try:
            model.is_plain = model.emulator.is_plain()
        except ScreenError:
            return False
    return model.is_plain


def _snapshot(model: _Model, request: _SnapshotRequest) -> tuple[Kind, bytes]:
    try:
        picture = model.emulator.picture()
        snapshot = Snapshot(
            offset=model.position.offset,
            size=picture.size,
            data=draw(picture, request.scrollback),
            text=text(picture),
            alternate=picture.alternate,
            title=picture.title.decode(errors="replace"),
        )
    except ScreenError as error:
        return Kind.FAILED, wire.pack_failed(request.request, str(error))
    return Kind.SNAPSHOT, wire.pack_snapshot(request.request, snapshot)


def _keyframe(model: _Model, request: _KeyframeRequest) -> tuple[Kind, bytes]:
    try:
        state = model.emulator.keyframe()
        if request.compacts and (small := compact(state, SCROLLBACK_LINES)) is not None:
            emulator = GhosttyEmulator.restore(small)
            model.emulator.close()
            model.emulator, state = emulator, small
            model.is_plain = None
    except ScreenError as error:
        return Kind.FAILED, wire.pack_failed(wire.NO_REQUEST, str(error))
    return Kind.KEYFRAME, wire.pack_position(model.position, zlib.compress(state, _FASTEST))


def _confine(parent: int) -> None:
    """Give up what a process that reads strangers' bytes must not have."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_DUMPABLE, 0)
        # The server may have died before the first line above took effect.
        if os.getppid() != parent:
            sys.exit(1)
        resource.setrlimit(resource.RLIMIT_AS, (HELPER_ADDRESS_BYTES, HELPER_ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (HELPER_FILES, HELPER_FILES))


def _step_back() -> None:
    """Let the server go first, which may have a higher priority and has handed it down."""
    niceness = max(os.getpriority(os.PRIO_PROCESS, 0), HELPER_NICENESS)
    os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _warm_up() -> None:
    """Do everything once, so that the first session waits and pays for nothing."""
    emulator = GhosttyEmulator(DEFAULT_SIZE)
    emulator.feed(b"\x1b[1mwarm\r\n" * (DEFAULT_SIZE.rows + SCROLLBACK_LINES))
    picture = emulator.picture()
    draw(picture, SCROLLBACK_LINES)
    text(picture)
    compact(emulator.keyframe(), SCROLLBACK_LINES)
    emulator.close()


def main(parent: int) -> None:
    """Serve the socket on standard input for the process `parent`."""
    _step_back()
    _confine(parent)
    _warm_up()
    with socket.socket(fileno=0) as connection:
        try:
            Helper(connection).run()
        except (ScreenError, MemoryError, zlib.error) as error:
            connection.sendall(frame(0, Kind.BROKEN, f"{type(error).__name__}: {error}".encode()))
            sys.exit(1)
        except (BrokenPipeError, ConnectionResetError):
            sys.exit(0)
