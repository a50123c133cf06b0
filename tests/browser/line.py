"""A line between a browser and a server that a test makes slow, or cuts and mends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE = 4096
"""Bytes that are passed on at a time."""
RECEIVE_BUFFER = 32 * 1024
"""Bytes: a slow line must not hide behind a large buffer of the loopback interface."""


class Line:
    """Passes TCP connections on to a port of this machine."""

    def __init__(self, target: int) -> None:
        self.bytes_per_second: int | None = None
        """How fast the server's bytes reach the browser; None is as fast as possible."""
        self._target = target
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._free_at = 0.0
        self._port = 0
        self.mend()

    @property
    def origin(self) -> str:
        """Where a browser reaches the server over this line."""
        return f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        """Accept connections again."""
        if self._listener is not None:
            return
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            ends = list(self._ends)
        for end in ends:
            self._break(end)

    def close(self) -> None:
        """End it for good."""
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                browser, _ = listener.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            try:
                server.connect(("127.0.0.1", self._target))
            except OSError:
                browser.close()
                server.close()
                continue
            with self._lock:
                self._ends |= {browser, server}
            for source, sink, is_slow in ((browser, server, False), (server, browser, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, is_slow), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE if self.bytes_per_second else 16 * PIECE):
                if is_slow:
                    self._wait_for_turn(len(data))
                sink.sendall(data)
        # Either direction's end is the connection's: browsers and servers close both.
        for end in (source, sink):
            self._break(end)
        with self._lock:
            self._ends -= {source}
        source.close()

    def _wait_for_turn(self, size: int) -> None:
        if self.bytes_per_second is None:
            return
        with self._lock:
            starts = max(self._free_at, time.monotonic())
            self._free_at = starts + size / self.bytes_per_second
        time.sleep(max(0.0, self._free_at - time.monotonic()))

    @staticmethod
    def _break(end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
