"""Read kubeconfigs: the contexts of a file, and what each may refer to.

A file that the operator named is trusted: it may point to other files and name a credential
plugin. A text from anywhere else is not: there such a field would run a program or read a file
on this machine, so everything that is not known to be harmless is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kube.errors import BadKubeconfig

MAX_BYTES = 1 << 20
"""Of a kubeconfig; one with hundreds of contexts and inline certificates stays below."""

MAX_UNTRUSTED_BYTES = 128 * 1024
"""Of a kubeconfig that somebody handed in: some ten contexts with inline certificates."""

MAX_DEPTH = 20
"""Nesting of an untrusted one; a kubeconfig needs six levels, a parser's stack breaks at many."""

UNTRUSTED = "(untrusted)"

_HARMLESS_CLUSTER = frozenset(
    {
        "server",
        "certificate-authority-data",
        "tls-server-name",
        "disable-compression",
        "extensions",
    }
)
_HARMLESS_USER = frozenset(
    {"token", "client-certificate-data", "client-key-data", "username", "password", "extensions"}
)
_IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")

# Ten times as fast, which is noticed with a hundred contexts; deep nesting would crash it, so it
# reads only what the operator wrote.
_TrustedLoader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)


@dataclass(frozen=True)
class Context:
    """One context of a kubeconfig: a cluster as one user, with everything that it refers to."""

    name: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    source: str
    """The file's path, or UNTRUSTED."""
    directory: Path | None
    """What relative paths are relative to; None when files must not be read."""


def read_contexts(path: Path) -> tuple[list[Context], list[BadKubeconfig]]:
    """Return the usable contexts of a trusted file, and what is wrong with the others.

    Raises BadKubeconfig when the file cannot be read or is no kubeconfig.
    """
    source = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadKubeconfig(f"it is larger than {MAX_BYTES} bytes", source=source)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKubeconfig(f"it cannot be read ({error})", source=source) from error
    contexts: list[Context] = []
    problems: list[BadKubeconfig] = []
    document = _parse(text, source, _TrustedLoader)
    for name, body in _named(document, "contexts", "context", source).items():
        try:
            contexts.append(_context(document, name, body, source, path.absolute().parent))
        except BadKubeconfig as problem:
            problems.append(problem)
    return contexts, problems


def read_untrusted(path: Path) -> str:
    """Return the text of a file for `load_untrusted`. Raises BadKubeconfig."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_UNTRUSTED_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKubeconfig(f"it cannot be read ({error})", source=str(path)) from error


def load_untrusted(text: str, *, source: str = UNTRUSTED) -> list[Context]:
    """Return the contexts of a kubeconfig that somebody handed in.

    Raises BadKubeconfig, which names the field, for anything that would run a program, read a
    file, act as somebody else, go through a proxy or skip the check of certificates.
    """
    if len(text.encode("utf-8", "replace")) > MAX_UNTRUSTED_BYTES:
        raise BadKubeconfig(f"it is larger than {MAX_UNTRUSTED_BYTES} bytes", source=source)
    _check_depth(text, source)
    document = _parse(text, source, yaml.SafeLoader)
    for section, entry, harmless in (
        ("clusters", "cluster", _HARMLESS_CLUSTER),
        ("users", "user", _HARMLESS_USER),
    ):
        for body in _named(document, section, entry, source).values():
            for field, value in body.items():
                if field not in harmless and value not in (None, False, ""):
                    raise BadKubeconfig(
                        "this field is allowed only in a file that the operator configured",
                        source=source,
                        field=str(field),
                    )
    return [
        _context(document, name, body, source, None)
        for name, body in _named(document, "contexts", "context", source).items()
    ]


def _check_depth(text: str, source: str) -> None:
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                raise BadKubeconfig("it is nested too deeply", source=source)
    except yaml.YAMLError as error:
        raise BadKubeconfig("it is not valid YAML", source=source) from error


def _parse(
    text: str, source: str, loader: type[yaml.SafeLoader | yaml.CSafeLoader]
) -> Mapping[str, Any]:
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, RecursionError) as error:
        raise BadKubeconfig("it is not valid YAML", source=source) from error
    if not isinstance(document, dict):
        raise BadKubeconfig("it is not a mapping", source=source)
    return document


def _named(
    document: Mapping[str, Any], section: str, entry: str, source: str
) -> dict[str, Mapping[str, Any]]:
    listed = document.get(section) or []
    if not isinstance(listed, list):
        raise BadKubeconfig("it is not a list", source=source, field=section)
    found: dict[str, Mapping[str, Any]] = {}
    for item in listed:
        body = item.get(entry) if isinstance(item, dict) else None
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not isinstance(body, dict | None):
            raise BadKubeconfig("an entry has no name or no body", source=source, field=section)
        found.setdefault(name, body or {})
    return found


def _context(
    document: Mapping[str, Any],
    name: str,
    body: Mapping[str, Any],
    source: str,
    directory: Path | None,
) -> Context:
    clusters = _named(document, "clusters", "cluster", source)
    users = _named(document, "users", "user", source)
    cluster = clusters.get(str(body.get("cluster")))
    if cluster is None:
        raise BadKubeconfig("no such cluster", source=source, context=name, field="cluster")
    user_name = body.get("user")
    user = users.get(str(user_name)) if user_name else {}
    if user is None:
        raise BadKubeconfig("no such user", source=source, context=name, field="user")
    _check_server(cluster.get("server"), source, name)
    for field in _IMPERSONATION:
        if user.get(field):
            raise BadKubeconfig(
                "acting as somebody else is decided by Hatchway's identity mode, not here",
                source=source,
                context=name,
                field=field,
            )
    proxy = cluster.get("proxy-url")
    if proxy and urlsplit(str(proxy)).scheme != "http":
        raise BadKubeconfig(
            "only http:// proxies are supported", source=source, context=name, field="proxy-url"
        )
    return Context(name, dict(cluster), dict(user), source, directory)


def _check_server(server: object, source: str, context: str) -> None:
    try:
        parts = urlsplit(server) if isinstance(server, str) else None
        valid = parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise BadKubeconfig(
            "it is not an http(s) address", source=source, context=context, field="server"
        )
