"""The frontend's files, by the names that Vite gave them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

PREFIX = "/static/dist/"
DEVELOPMENT_ENTRY = "src/main.ts"
_HASHED = re.compile(r"/static/dist/assets/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+")


class FrontendMissing(Exception):
    """The frontend has not been built."""


@dataclass(frozen=True, slots=True)
class Assets:
    """What the page loads, as addresses."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...] = ()
    preloads: tuple[str, ...] = ()


def assets() -> Assets:
    """Return what the page loads now. Raises FrontendMissing."""
    if settings.HATCHWAY_VITE_SERVER:
        base = settings.HATCHWAY_VITE_SERVER + PREFIX
        return Assets(scripts=(f"{base}@vite/client", f"{base}{DEVELOPMENT_ENTRY}"))
    path = Path(settings.HATCHWAY_FRONTEND) / ".vite" / "manifest.json"
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        raise FrontendMissing from None
    if _cache.get("changed") != (path, changed):
        _cache["assets"] = entry_assets(json.loads(path.read_text("utf-8")))
        _cache["changed"] = (path, changed)
    found = _cache["assets"]
    assert isinstance(found, Assets)
    return found


_cache: dict[str, object] = {}


def is_immutable(_path: str, url: str) -> bool:
    """Return whether a file's name carries the hash of its contents, as Vite's assets do."""
    return _HASHED.fullmatch(url) is not None


def entry_assets(manifest: Mapping[str, Mapping[str, Any]]) -> Assets:
    """Return the assets of the manifest's entry and of everything that it imports at once."""
    entries = [name for name, chunk in manifest.items() if chunk.get("isEntry")]
    if not entries:
        raise FrontendMissing
    styles: dict[str, None] = {}
    preloads: dict[str, None] = {}
    seen: set[str] = set()

    def follow(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        chunk = manifest[name]
        for imported in chunk.get("imports", ()):
            follow(imported)
            preloads[manifest[imported]["file"]] = None
        for style in chunk.get("css", ()):
            styles[style] = None

    for entry in entries:
        follow(entry)
    return Assets(
        scripts=tuple(PREFIX + manifest[entry]["file"] for entry in entries),
        styles=tuple(PREFIX + style for style in styles),
        preloads=tuple(PREFIX + preload for preload in preloads),
    )
