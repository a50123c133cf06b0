"""System checks: what is configured wrong, with an id, and what to do. Errors stop the start."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks

from config.origins import LOOPBACK, host_of

MIN_SECRET_KEY = 40
"""Characters of a secret key: enough for 200 bits, even in hexadecimal."""


@register(Tags.security, deploy=True)
def check_configuration(**_: Any) -> list[CheckMessage]:
    """Return everything that would make serving unsafe."""
    hosts = {host_of(origin) for origin in settings.HATCHWAY_ORIGINS}
    is_public = not hosts <= LOOPBACK
    found: list[CheckMessage | None] = [
        _secret_key(),
        _debug(is_public),
        _hosts(),
        _origins(),
        _schemes(),
        _vite(),
        _layer(),
        _proxies(),
    ]
    return [message for message in found if message is not None]


def _secret_key() -> Error | None:
    key = settings.SECRET_KEY
    if key != settings.INSECURE_SECRET_KEY and len(key) >= MIN_SECRET_KEY and len(set(key)) >= 10:
        return None
    return Error(
        "HATCHWAY_SECRET_KEY is missing, the example, or too short.",
        hint=f"Set it to at least {MIN_SECRET_KEY} random characters, or HATCHWAY_SECRET_KEY_FILE "
        "to a file that has them: openssl rand -base64 48.",
        id="config.E001",
    )


def _debug(is_public: bool) -> Error | None:
    if not settings.DEBUG or not is_public:
        return None
    return Error(
        "HATCHWAY_DEBUG is on although HATCHWAY_ORIGINS names more than this machine.",
        hint="Unset HATCHWAY_DEBUG: its error pages show settings and source code.",
        id="config.E002",
    )


def _hosts() -> Error | None:
    if settings.ALLOWED_HOSTS and not any("*" in host for host in settings.ALLOWED_HOSTS):
        return None
    return Error(
        "HATCHWAY_ALLOWED_HOSTS is empty or has a pattern.",
        hint="Name each host, or leave it out: the hosts of HATCHWAY_ORIGINS are then allowed.",
        id="config.E003",
    )


def _origins() -> Error | None:
    if settings.HATCHWAY_ORIGINS:
        return None
    return Error(
        "HATCHWAY_ORIGINS is empty: no page could open a terminal.",
        hint="Set it to what stands in the address bar: https://hatchway.example.com.",
        id="config.E004",
    )


def _schemes() -> Error | None:
    if len({origin.split("://")[0] for origin in settings.HATCHWAY_ORIGINS}) <= 1:
        return None
    return Error(
        "HATCHWAY_ORIGINS mixes http and https.",
        hint="Use https alone; cookies for both cannot be kept from being read on the way.",
        id="config.E005",
    )


def _vite() -> Error | None:
    if not settings.HATCHWAY_VITE_SERVER or settings.DEBUG:
        return None
    return Error(
        "HATCHWAY_VITE_SERVER is set without HATCHWAY_DEBUG.",
        hint="Build the frontend (make build) and unset it; it is for development alone.",
        id="config.E006",
    )


def _layer() -> Error | None:
    url = settings.HATCHWAY_REDIS_URL
    if not url or url.startswith(("redis://", "rediss://", "unix://")):
        return None
    return Error(
        "HATCHWAY_REDIS_URL is not the address of a Redis server.",
        hint="Write redis://host:6379/0 or rediss://…, or unset it for a single process.",
        id="config.E007",
    )


def _proxies() -> Error | None:
    from django.core.exceptions import ImproperlyConfigured

    from config.hygiene import parse_networks

    try:
        networks = parse_networks(settings.HATCHWAY_TRUSTED_PROXIES)
    except ImproperlyConfigured as error:
        message = str(error)
    else:
        if all(network.prefixlen > 0 for network in networks):
            return None
        message = "HATCHWAY_TRUSTED_PROXIES trusts every address."
    return Error(
        message,
        hint="Name the addresses or networks of your proxies: 10.0.0.5, 10.1.0.0/16.",
        id="config.E008",
    )


def refuse_bad_configuration() -> None:
    """End the process, with every error on stderr, if it must not serve like this."""
    errors = [
        message
        for message in run_checks(tags=[Tags.security], include_deployment_checks=True)
        if message.is_serious()
    ]
    if errors:
        for error in errors:
            print(f"{error.id}: {error.msg} {error.hint or ''}", file=sys.stderr)
        raise SystemExit(1)
