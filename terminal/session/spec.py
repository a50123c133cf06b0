"""What a session is to be, decided before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from protocol.execution import PodFacts
from protocol.identity import Identity
from protocol.target import Target
from terminal.session.launch import Launch


class Kind(StrEnum):
    """Exec starts a new process, attach joins the container's main process."""

    EXEC = "exec"
    ATTACH = "attach"


@dataclass(frozen=True, slots=True)
class Holder:
    """The person and login session behind a socket, as the guard checks them."""

    user_id: int
    username: str
    login_key: str
    """The login session's key; kept in memory only."""
    auth_hash: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """A session to be opened. `pod` was read when the person was authorised; the session is for
    that pod and container and for no later one of the same name."""

    id: UUID
    target: Target
    identity: Identity
    kind: Kind
    launch: Launch | None
    marker: str
    pod: PodFacts
    holder: Holder
    is_input_enabled: bool = False
    """Attach: whether the owner's input reaches the main process without a confirmation."""
