"""Log lines: one JSON object each, so that no name or path can forge a second line."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

_TICKET = re.compile(r"hatchway\.ticket\.[A-Za-z0-9_-]+")


class JsonFormatter(logging.Formatter):
    """Format a record as one line of ASCII JSON. Control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`."""
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _scrub(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = _scrub(self.formatException(record.exc_info))
        return json.dumps(line)


def _scrub(text: str) -> str:
    return _TICKET.sub("hatchway.ticket.…", text)
