"""What a demonstration keeps between two starts, in .demo/."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.errors import StartError

PASSWORD_BYTES = 9
"""72 random bits, twelve characters: short enough to type."""
LEAST_PASSWORD = 8
"""Characters; Django's validators refuse shorter ones."""


@dataclass(frozen=True, slots=True)
class State:
    """The paths of one demonstration."""

    folder: Path

    @property
    def database(self) -> Path:
        """Accounts, sessions, audit trail."""
        return self.folder / "hatchway.sqlite3"

    @property
    def logs(self) -> Path:
        """One file for each step and each process."""
        return self.folder / "log"

    @property
    def secret_key(self) -> Path:
        """Django's key."""
        return self.folder / "secret-key"

    @property
    def cluster(self) -> Path:
        """What the demo cluster keeps."""
        return self.folder / "cluster"

    @property
    def accounts(self) -> Path:
        """What was said about the accounts when they were made."""
        return self.folder / "accounts.txt"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and keep a second runner out of it. Raises StartError."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartError(
                    "A demonstration already runs from this folder; end it first."
                ) from None
            yield

    def ensure_secret_key(self) -> None:
        """Make the secret key once."""
        if not self.secret_key.exists():
            _write_private(self.secret_key, secrets.token_urlsafe(48))

    def password(self, environ: Mapping[str, str]) -> str:
        """Return HATCHWAY_DEMO_PASSWORD, or the random password of the first start."""
        given = environ.get("HATCHWAY_DEMO_PASSWORD", "")
        if given:
            if len(given) < LEAST_PASSWORD:
                raise StartError(
                    f"HATCHWAY_DEMO_PASSWORD is too short; use {LEAST_PASSWORD} characters or more."
                )
            return given
        file = self.folder / "password"
        if not file.exists():
            _write_private(file, secrets.token_urlsafe(PASSWORD_BYTES))
        return file.read_text("utf-8").strip()


def _write_private(path: Path, text: str) -> None:
    # Complete or absent: a second start believes what it finds.
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text + "\n")
    draft.replace(path)
