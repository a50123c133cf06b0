"""TLS to an API server, read record by record."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

RECORD_BYTES = 16 * 1024
"""The longest plaintext of one record (RFC 8446 section 5.1): a read never returns more."""


class RecordReader(ssl.SSLObject):
    """A TLS connection that reserves no more for a read than a record can fill.

    The event loop asks for 256 KiB each time. That much would be taken from the heap for each
    record and cut to the 4 KiB that the record holds; between the pieces that stay, holes are left
    in which the next 256 KiB do not fit, and a flood makes the heap grow by 1.5 MiB more.
    """

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> bytes:
        """Read up to `len` bytes, at most one record (`ssl.SSLObject.read`)."""
        return super().read(min(len, RECORD_BYTES), buffer)


def with_short_reads(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let connections with this context be RecordReaders; returns the context."""
    context.sslobject_class = RecordReader
    return context
