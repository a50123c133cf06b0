"""TLS to an API server, read record by record."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

RECORD_BYTES = 16 * 1024
"""The longest plaintext of one record (RFC 8446 section 5.1): a read never returns more."""


class _Scratch(threading.local):
    """Where a record is read before its length is known; another thread has another one."""

    def __init__(self) -> None:
        self.record = memoryview(bytearray(RECORD_BYTES))


_scratch = _Scratch()


class RecordReader(ssl.SSLObject):
    """A TLS connection whose reads take no more memory than what has come.

    The event loop asks for 256 KiB each time. That much would be taken from the heap for each
    record and cut to the 4 KiB that the record holds; between the pieces that stay, holes are left
    in which the next 256 KiB do not fit, and a flood makes the heap grow by 1.5 MiB more.
    """

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> bytes:
        """Read up to `len` bytes, at most one record (`ssl.SSLObject.read`)."""
        if buffer is not None:
            return super().read(len, buffer)
        # With a buffer the count comes back, whatever typeshed says.
        count = cast("int", super().read(min(len, RECORD_BYTES), _scratch.record))
        return bytes(_scratch.record[:count])


def with_short_reads(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let connections with this context be RecordReaders; returns the context."""
    context.sslobject_class = RecordReader
    return context
