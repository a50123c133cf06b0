"""A process of a container, its terminal or pipes, read and written without threads.

Nothing is buffered here: output that nobody reads stays in the kernel and blocks the process,
exactly like in a real container whose stream is not drained.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from democluster.children import Children

READ_BYTES = 32 * 1024
"""The most that one frame carries, like the copy buffers of a real API server."""

STDOUT, STDERR = 1, 2


class Descriptor:
    """A non-blocking file descriptor that can be awaited. Closed once, by whoever opened it."""

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self._number = number
        self._is_open = True

    async def read(self) -> bytes:
        """Return the next bytes (at most READ_BYTES), or nothing at the end."""
        while self._is_open:
            try:
                return self._read_more(os.read(self._number, READ_BYTES))
            except BlockingIOError:
                await self._until(writable=False)
            except OSError as error:
                # A terminal whose last process ended answers EIO instead of an end of file.
                if error.errno == errno.EIO:
                    return b""
                raise
        return b""

    async def write(self, data: bytes) -> None:
        """Write everything; wait while the reader is slow. Raises BrokenPipeError."""
        view = memoryview(data)
        while view and self._is_open:
            try:
                view = view[os.write(self._number, view) :]
            except BlockingIOError:
                await self._until(writable=True)
            except OSError as error:
                if error.errno == errno.EIO:
                    raise BrokenPipeError from error
                raise

    def resize(self, cols: int, rows: int) -> None:
        """Tell a terminal its size."""
        if self._is_open:
            with contextlib.suppress(OSError):
                size = struct.pack("HHHH", rows, cols, 0, 0)
                fcntl.ioctl(self._number, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Close it. Does nothing the second time."""
        if self._is_open:
            self._is_open = False
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._number)
            loop.remove_writer(self._number)
            os.close(self._number)

    def _read_more(self, data: bytes) -> bytes:
        # A terminal gives at most 4 KiB at once; what else is there already goes along.
        parts = [data]
        total = len(data)
        while data and total < READ_BYTES:
            try:
                data = os.read(self._number, READ_BYTES - total)
            except OSError:
                break
            parts.append(data)
            total += len(data)
        return b"".join(parts) if len(parts) > 1 else parts[0]

    async def _until(self, *, writable: bool) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        add, remove = (
            (loop.add_writer, loop.remove_writer)
            if writable
            else (loop.add_reader, loop.remove_reader)
        )
        add(self._number, wake)
        try:
            await ready
        finally:
            if self._is_open:
                remove(self._number)


class Process:
    """One running process. `close` must be called in the end; it does not kill the process."""

    def __init__(
        self,
        pid: int,
        exited: asyncio.Future[int],
        *,
        tty: bool,
        stdin: Descriptor | None,
        outputs: Mapping[int, Descriptor],
    ) -> None:
        self.pid = pid
        self.tty = tty
        self._exited = exited
        self._stdin = stdin
        self._outputs = outputs

    @property
    def outputs(self) -> tuple[int, ...]:
        """The channels that it writes to: STDOUT, STDERR; a terminal has only STDOUT."""
        return tuple(self._outputs)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._exited.done()

    async def read(self, channel: int) -> bytes:
        """Return the next output of a channel, or nothing at its end. One reader per channel."""
        return await self._outputs[channel].read()

    async def write(self, data: bytes) -> None:
        """Write to its standard input. Raises BrokenPipeError when it no longer reads."""
        if self._stdin is not None:
            await self._stdin.write(data)

    def close_stdin(self) -> None:
        """End its standard input. A terminal cannot be ended this way and stays."""
        if self._stdin is not None and not self.tty:
            self._stdin.close()

    def resize(self, cols: int, rows: int) -> None:
        """Tell its terminal the size; the kernel sends SIGWINCH."""
        if self.tty:
            self._outputs[STDOUT].resize(cols, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """Return the exit code once it ended. May be awaited by several."""
        return await asyncio.shield(self._exited)

    def close(self) -> None:
        """Give back the descriptors."""
        for descriptor in (self._stdin, *self._outputs.values()):
            if descriptor is not None:
                descriptor.close()


def start_process(
    children: Children,
    argv: Sequence[str],
    *,
    executable: str,
    env: Mapping[str, str],
    cwd: Path,
    tty: bool,
    stdin: bool,
) -> Process:
    """Start a process on a terminal or on pipes. Raises OSError."""
    if tty:
        return _start_on_terminal(children, argv, executable=executable, env=env, cwd=cwd)
    pipes = [os.pipe() for _ in range(3 if stdin else 2)]
    theirs_in = pipes[2][0] if stdin else os.open(os.devnull, os.O_RDONLY)
    theirs = (theirs_in, pipes[0][1], pipes[1][1])
    ours = [pipes[0][0], pipes[1][0], *([pipes[2][1]] if stdin else [])]
    try:
        pid, exited = children.spawn(
            argv, executable=executable, env=env, cwd=cwd, descriptors=theirs, tty=False
        )
    except BaseException:
        for number in ours:
            os.close(number)
        raise
    finally:
        for number in theirs:
            os.close(number)
    outputs = {STDOUT: Descriptor(ours[0]), STDERR: Descriptor(ours[1])}
    return Process(
        pid, exited, tty=False, stdin=Descriptor(ours[2]) if stdin else None, outputs=outputs
    )


def _start_on_terminal(
    children: Children,
    argv: Sequence[str],
    *,
    executable: str,
    env: Mapping[str, str],
    cwd: Path,
) -> Process:
    master, slave = pty.openpty()
    try:
        pid, exited = children.spawn(
            argv,
            executable=executable,
            env=env,
            cwd=cwd,
            descriptors=(slave, slave, slave),
            tty=True,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    # Reading and writing need descriptors of their own: each can be awaited by one task only.
    return Process(
        pid,
        exited,
        tty=True,
        stdin=Descriptor(os.dup(master)),
        outputs={STDOUT: Descriptor(master)},
    )
