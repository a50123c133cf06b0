"""Connections that owe this process a request, and how long it waits for one.

Neither server limits this by itself: uvicorn waits for the head of a request for ever and takes
one of any length, Daphne begins to count again with every byte. A connection costs its client
nothing and this process a file descriptor, so who says nothing is cut: when its time is over, or,
while there are too many, the one that has kept us waiting longest. A browser sends its request in
the same moment in which it connects.
"""

from __future__ import annotations

import resource
from collections.abc import Callable

HEAD_SECONDS = 10.0
"""How long a request line with all headers may take, from the connection or the last answer on."""
BODY_SECONDS = 30.0
"""How long a body may take after its head: 1 MiB (hygiene.MAX_BODY) at 280 kbit/s."""
MAX_HEAD = 64 * 1024
"""Bytes of request line and headers: cookies and a ticket are far below 8 KiB."""
MAX_WAITING = 4096
"""Connections without a request that are kept at most: about 20 MiB."""
_KEPT_SHARE = 4
"""Of the file descriptors a quarter may belong to connections without a request."""
_DESCRIPTORS = 65_536
"""What a process asks for, where the system allows it: systems that start programs with 1024 mean
well with those that use select()."""


class Waiting:
    """The connections that owe us a request, in the order in which they began to. Bounded: one
    more cuts the oldest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._cuts: dict[object, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._cuts)

    def add(self, connection: object, cut: Callable[[], None]) -> None:
        """Note that a connection owes a request; `cut` closes it and must not wait."""
        self._cuts.pop(connection, None)
        self._cuts[connection] = cut
        if len(self._cuts) > self._most:
            self._cuts.pop(next(iter(self._cuts)))()

    def discard(self, connection: object) -> None:
        """Note that a connection's request is there, or that the connection is gone."""
        self._cuts.pop(connection, None)


def allow_descriptors() -> int:
    """Raise this process's limit of open files as far as the system lets it; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = _DESCRIPTORS if hard == unlimited else min(_DESCRIPTORS, hard)
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return _DESCRIPTORS if soft == unlimited else soft


waiting = Waiting(min(MAX_WAITING, allow_descriptors() // _KEPT_SHARE))
"""Those of this process."""
