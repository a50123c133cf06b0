"""Remember what was prepared from which sources, so that it is not prepared again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


def fingerprint(paths: Iterable[Path], *, extra: str = "") -> str:
    """Return a digest of the files under `paths` (names and contents) and of `extra`."""
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"\0{file.relative_to(path.parent)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file that holds the fingerprint of what its product was made from."""

    path: Path
    product: Path
    """Without it the stamp means nothing."""

    def matches(self, *fingerprints: str) -> bool:
        """Whether the product is there and was made from one of these."""
        if not self.product.exists() or not self.path.is_file():
            return False
        return self.path.read_text("utf-8").strip() in fingerprints

    def clear(self) -> None:
        """Forget, before the product is touched."""
        self.path.unlink(missing_ok=True)

    def write(self, value: str) -> None:
        """Say that the product is complete."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(value + "\n", "utf-8")
