"""Shell-style name patterns: `*` any characters, `?` one, `[abc]` and `[!abc]` one of a set.

Several patterns stand in one text, separated by commas or blanks. A name must match one of them
as a whole; upper and lower case differ.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

MAX_PATTERNS = 50
_PATTERN = re.compile(r"[a-z0-9*?\[\]!._-]+")


class InvalidPattern(ValueError):
    """A text holds something that no name could ever match; the sentence says what."""


def split_patterns(text: str) -> tuple[str, ...]:
    """Return the single patterns of a text."""
    return tuple(re.split(r"[,\s]+", text.strip(", \t\r\n"))) if text.strip(", \t\r\n") else ()


def check_patterns(text: str) -> tuple[str, ...]:
    """Return the single patterns. Raises InvalidPattern if there is none or one is nonsense."""
    patterns = split_patterns(text)
    if not patterns:
        raise InvalidPattern("There is no pattern; write * for everything.")
    if len(patterns) > MAX_PATTERNS:
        raise InvalidPattern(f"There are more than {MAX_PATTERNS} patterns.")
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise InvalidPattern(f"{pattern!r} matches no name: names have a-z 0-9 - . _ only.")
    return patterns


def matches(patterns: str, name: str) -> bool:
    """Return whether `name` matches one of the patterns in the text."""
    return _compiled(patterns).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _compiled(patterns: str) -> re.Pattern[str]:
    words = split_patterns(patterns)
    # Without a pattern nothing matches, not even the empty name.
    return re.compile("|".join(translate(word) for word in words) if words else r"(?!)")
