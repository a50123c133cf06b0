"""The login session behind a request or a socket, and its facts on the audit trail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from access.address import address_of
from access.audit import EventTag, record
from access.errors import SignedOut


@dataclass(frozen=True, slots=True)
class Login:
    """Who is signed in, by which login session, from where."""

    user: Any
    """The account; an instance of the user model."""
    key: str
    """The login session's key. Kept in memory only, never logged or stored."""
    auth_hash: str
    """Changes with the password."""
    address: str

    @property
    def user_id(self) -> int:
        """The account's number."""
        return int(self.user.pk)

    @property
    def username(self) -> str:
        """The account's name."""
        return str(self.user.get_username())


def digest_of(secret: str) -> str:
    """Return what is stored in place of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def person_of(request: HttpRequest) -> Any:
    """Return the person who is signed in, or None. Guards every operation of the API."""
    user = request.user
    return user if user.is_authenticated and user.is_active else None


def login_of(request: HttpRequest, user: Any) -> Login:
    """Return the login session of a request whose session was read already (`user` came from it).

    Raises SignedOut when it has none.
    """
    key = request.session.session_key
    auth_hash = request.session.get(HASH_SESSION_KEY)
    if not key or not auth_hash:
        raise SignedOut
    return Login(user, key, str(auth_hash), address_of(request))


def login_of_scope(scope: Any) -> Login | None:
    """Return the login session of a socket that Channels' AuthMiddlewareStack has read."""
    user, session = scope.get("user"), scope.get("session")
    if user is None or session is None or not user.is_authenticated or not user.is_active:
        return None
    key, auth_hash = session.session_key, session.get(HASH_SESSION_KEY)
    if not key or not auth_hash:
        return None
    client = scope.get("client")
    # A lazy object stands for the user; what is kept is the account itself.
    account = getattr(user, "_wrapped", user)
    return Login(account, key, str(auth_hash), str(client[0]) if client else "")


def connect() -> None:
    """Connect the receivers of Django's account signals: also the admin site signs people out."""
    user_logged_in.connect(_on_start, dispatch_uid="access.login.start")
    user_login_failed.connect(_on_failure, dispatch_uid="access.login.failure")
    user_logged_out.connect(_on_end, dispatch_uid="access.login.end")


def _on_start(*, request: HttpRequest, user: Any, **_: Any) -> None:
    record(EventTag.LOGIN_START, user=user, address=address_of(request))


def _on_failure(
    *, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    name = str(credentials.get("username", ""))
    record(EventTag.LOGIN_FAIL, username=name, address=address_of(request))


def _on_end(*, request: HttpRequest, user: Any, **_: Any) -> None:
    if user is None:
        return
    record(EventTag.LOGIN_END, user=user, address=address_of(request))
