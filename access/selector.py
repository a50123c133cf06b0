"""Label selectors, as kubectl writes them: `app=web,tier!=db,env in (a, b),!legacy`.

Equality: `key=value`, `key==value`, `key!=value`. Sets: `key in (a, b)`, `key notin (a, b)`,
`key`, `!key`. A comma joins requirements, all of which must hold. As in Kubernetes, `!=` and
`notin` also hold for objects without the label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_LENGTH = 1000
"""Characters of a selector."""

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"(?:{_NAME})?")
_SET = re.compile(r"(\S+)\s+(in|notin)\s*\(([^()]*)\)")
_EQUALITY = re.compile(r"([^=!\s]+)\s*(==|=|!=)\s*(\S*)")


class InvalidSelector(ValueError):
    """A text is not a label selector; the sentence says where."""


class Operator(StrEnum):
    """How a requirement compares a label."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Return whether `labels` meet the condition."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.MISSING:
                return self.key not in labels


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that all must hold. Without any, everything is selected."""

    requirements: tuple[Requirement, ...] = ()

    @property
    def selects_all(self) -> bool:
        """Whether labels do not matter."""
        return not self.requirements

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels is selected."""
        return all(requirement.holds(labels) for requirement in self.requirements)


@lru_cache(maxsize=512)
def parse_selector(text: str) -> Selector:
    """Return the selector that `text` says. Raises InvalidSelector."""
    if len(text) > MAX_LENGTH:
        raise InvalidSelector(f"A label selector has at most {MAX_LENGTH} characters.")
    if not text.strip():
        return Selector()
    return Selector(tuple(_requirement(part.strip()) for part in _split(text)))


def _split(text: str) -> list[str]:
    """Cut at the commas that stand outside parentheses."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _requirement(part: str) -> Requirement:
    if not part:
        raise InvalidSelector("There is an empty condition in the label selector.")
    if found := _SET.fullmatch(part):
        values = frozenset(_value(value.strip()) for value in found[3].split(","))
        return Requirement(_key(found[1]), Operator(found[2]), values)
    if found := _EQUALITY.fullmatch(part):
        operator = Operator.NOT_IN if found[2] == "!=" else Operator.IN
        return Requirement(_key(found[1]), operator, frozenset({_value(found[3])}))
    if part.startswith("!"):
        return Requirement(_key(part[1:].strip()), Operator.MISSING)
    return Requirement(_key(part), Operator.EXISTS)


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise InvalidSelector(f"{text!r} is not a label's name.")
    return text


def _value(text: str) -> str:
    if not _VALUE.fullmatch(text):
        raise InvalidSelector(f"{text!r} is not a label's value.")
    return text
