"""Read JSON bodies, and refuse in them what no database could store."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser


class Unstorable(ValueError):
    """A body holds a NUL character, half of a surrogate pair, or a number that is none."""

    def __init__(self) -> None:
        super().__init__("JSON here has no NUL, no lone surrogate, no NaN and no infinity.")


class StrictParser(Parser):
    """JSON as RFC 8259 means it. What Python alone would accept is answered with 400.

    PostgreSQL refuses these where SQLite keeps some of them: here both behave alike.
    """

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the body. Raises ValueError."""
        found = json.loads(request.body)
        check_storable(found)
        return cast("dict[str, Any]", found)


def check_storable(found: Any) -> None:
    """Raise Unstorable if some part of this JSON value could not be stored."""
    waiting = [found]
    while waiting:
        match waiting.pop():
            case dict() as pairs:
                waiting += [*pairs.keys(), *pairs.values()]
            case list() as values:
                waiting += values
            case str() as text if "\0" in text or not _is_unicode(text):
                raise Unstorable
            case float() as number if not math.isfinite(number):
                raise Unstorable


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
