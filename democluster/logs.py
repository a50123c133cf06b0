"""The log file of one run of a container, in the format that container runtimes write.

Each entry is `<time> <stream> <F|P> <text>`; P marks a piece of a line that was too long. The
file is bounded: at half of the bound it is renamed and a new one begun, so that between one half
and the whole of the bound is always kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_ENTRY_BYTES = 16 * 1024
"""Longer lines become several entries, like in containerd."""

MAX_LOG_BYTES = 8 * 1024 * 1024
"""Kept per run of a container. When full, the older half goes."""

READ_BYTES = 64 * 1024
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log. `time` is RFC 3339 with nanoseconds."""

    time: bytes
    is_whole: bool
    """False for a piece of a line whose end is in a later entry."""
    text: bytes


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which part of a log is wanted."""

    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since: int | None = None
    """Unix time in whole seconds; entries of that second are included."""
    limit_bytes: int | None = None


class ContainerLog:
    """Written by the container's own tasks, read by any number of requests."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._older = path.with_suffix(".log.1")
        self._file: BinaryIO | None = path.open("ab", buffering=0)
        self._written = self._file.tell()
        self._rest: dict[str, bytes] = {}
        self._last_time = 0
        self._generation = 0
        self._changed = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """Whether nothing will be written any more."""
        return self._file is None

    def write(self, stream: str, data: bytes) -> None:
        """Append output of `stdout` or `stderr`. The last, unfinished line waits for its end."""
        *lines, rest = (self._rest.get(stream, b"") + data).split(b"\n")
        entries = b"".join(self._entries(stream, lines))
        while len(rest) >= MAX_ENTRY_BYTES:
            entries += self._entry(stream, b"P", rest[:MAX_ENTRY_BYTES])
            rest = rest[MAX_ENTRY_BYTES:]
        self._rest[stream] = rest
        self._append(entries)

    def complete(self) -> None:
        """Write what waits for the end of its line and end the log."""
        if self._file is None:
            return
        for stream, rest in self._rest.items():
            if rest:
                self._append(self._entry(stream, b"F", rest))
        self._file.close()
        self._file = None
        self._wake()

    def delete(self) -> None:
        """Remove the files."""
        self.complete()
        self._path.unlink(missing_ok=True)
        self._older.unlink(missing_ok=True)

    async def read(self, query: LogQuery) -> AsyncIterator[bytes]:
        """Yield the wanted part as text; with `follow` until the log is complete."""
        render = _Renderer(query)
        reader = _Reader(self._path)
        generation = self._generation
        try:
            entries = [*_stored_entries(self._older), *reader.entries()]
            if query.tail_lines is not None:
                entries = entries[-query.tail_lines :] if query.tail_lines else []
            if data := render(entries):
                yield data
            while query.follow and not render.is_full:
                changed, was_complete = self._changed, self.is_complete
                if data := render(reader.entries()):
                    yield data
                    continue
                if generation != self._generation:
                    # What was read so far was renamed meanwhile and is at its end now.
                    generation = self._generation
                    reader.close()
                    reader = _Reader(self._path)
                    continue
                if was_complete:
                    return
                await changed.wait()
        finally:
            reader.close()

    def _entries(self, stream: str, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            while len(line) > MAX_ENTRY_BYTES:
                yield self._entry(stream, b"P", line[:MAX_ENTRY_BYTES])
                line = line[MAX_ENTRY_BYTES:]
            yield self._entry(stream, b"F", line)

    def _entry(self, stream: str, tag: bytes, text: bytes) -> bytes:
        moment = max(time.time_ns(), self._last_time + 1)
        self._last_time = moment
        return b"%s %s %s %s\n" % (_format(moment), stream.encode(), tag, text)

    def _append(self, entries: bytes) -> None:
        if not entries or self._file is None:
            return
        self._file.write(entries)
        self._written += len(entries)
        if self._written > MAX_LOG_BYTES // 2:
            self._file.close()
            self._path.replace(self._older)
            self._file = self._path.open("ab", buffering=0)
            self._written = 0
            self._generation += 1
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _Reader:
    """Reads entries from where it stopped, also after the file was renamed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""

    def entries(self) -> list[Entry]:
        found: list[Entry] = []
        while data := self._file.read(READ_BYTES):
            *lines, self._rest = (self._rest + data).split(b"\n")
            found += [_parse(line) for line in lines]
        return found

    def close(self) -> None:
        self._file.close()


class _Renderer:
    """Turns entries into the text of the answer."""

    def __init__(self, query: LogQuery) -> None:
        self._query = query
        self._since = _format(query.since * NANOSECONDS) if query.since is not None else b""
        self._left = query.limit_bytes
        self._at_line_start = True

    @property
    def is_full(self) -> bool:
        return self._left == 0

    def __call__(self, entries: Iterable[Entry]) -> bytes:
        parts: list[bytes] = []
        for entry in entries:
            if entry.time < self._since:
                continue
            if self._query.timestamps and self._at_line_start:
                parts += [entry.time, b" "]
            parts += [entry.text, b"\n"] if entry.is_whole else [entry.text]
            self._at_line_start = entry.is_whole
        text = b"".join(parts)
        if self._left is not None:
            text = text[: self._left]
            self._left -= len(text)
        return text


def _stored_entries(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    return [_parse(line) for line in path.read_bytes().split(b"\n")[:-1]]


def _parse(line: bytes) -> Entry:
    moment, _, tag, text = (*line.split(b" ", 3), b"", b"")[:4]
    return Entry(moment, tag == b"F", text)


def _format(nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode() + b".%09dZ" % rest
