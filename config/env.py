"""Read configuration from the environment; a wrong value fails loudly and names its key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def env_str(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the text of `name`, without the blanks around it."""
    return environ.get(name, default).strip()


def env_bool(name: str, default: bool, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether `name` is on. Raises ImproperlyConfigured for any other word."""
    value = environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in TRUE_WORDS:
        return True
    if value in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; use true or false.")


def env_int(
    name: str,
    default: int,
    *,
    least: int = 0,
    most: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Return the whole number of `name`, from `least` to `most`. Raises ImproperlyConfigured."""
    value = environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; use a whole number.") from None
    if number < least or (most is not None and number > most):
        limit = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} is {number}; it must be {limit}.")
    return number


def env_list(
    name: str, default: tuple[str, ...] = (), *, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Return the comma-separated words of `name`; blanks around them do not count."""
    if name not in environ:
        return default
    return tuple(word.strip() for word in environ[name].split(",") if word.strip())


def env_choice(
    name: str, choices: tuple[str, ...], *, environ: Mapping[str, str] = os.environ
) -> str:
    """Return one of `choices`; the first one is the default. Raises ImproperlyConfigured."""
    value = environ.get(name, "").strip() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; use one of {', '.join(choices)}.")
    return value


def env_map(name: str, *, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the pairs of `name`, written `key=value,key=value`. Raises ImproperlyConfigured."""
    pairs: dict[str, str] = {}
    for word in env_list(name, environ=environ):
        key, separator, value = word.partition("=")
        if not separator or not key.strip() or not value.strip():
            raise ImproperlyConfigured(f"{name} has {word!r}; use key=value,key=value.")
        pairs[key.strip()] = value.strip()
    return pairs


def env_secret(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """Return a secret from `name`, or from the file that `name`_FILE names, but not from both.

    Raises ImproperlyConfigured, which never shows the secret.
    """
    path = environ.get(f"{name}_FILE", "").strip()
    value = environ.get(name, "").strip()
    if path and value:
        raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set; set one of them.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {reason}.") from None
        if not value:
            raise ImproperlyConfigured(f"The file that {name}_FILE names is empty.")
    return value or default
