"""Who makes a request: bearer tokens and impersonation headers."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from multidict import CIMultiDictProxy

from democluster.certificates import write_private
from democluster.rbac import Attributes, User, require
from democluster.status import bad_request, unauthorized
from democluster.store import Store

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
AUTHENTICATED = "system:authenticated"
BEARER_SUBPROTOCOL = "base64url.bearer.authorization.k8s.io."
"""Prefix of the subprotocol in which browsers send a token; the token follows in base64url."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the demo cluster and what its kubeconfig is for."""

    user: User
    namespace: str = "default"


ACCOUNTS: Mapping[str, Account] = {
    "admin": Account(User("admin", ("system:masters",), "admin")),
    "app": Account(User("app", ("apps",), "app")),
    "alice": Account(User("alice", ("team-a",), "alice"), "shop"),
    "bob": Account(User("bob", ("team-b",), "bob"), "shop"),
}


def ensure_tokens(path: Path) -> dict[str, str]:
    """Return the token of every account, kept in the file at `path`, made where absent."""
    tokens: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in ACCOUNTS if name not in tokens]
    if missing:
        tokens |= {name: secrets.token_hex(16) for name in missing}
        write_private(path, json.dumps(tokens, indent=1).encode())
    return tokens


class Authenticator:
    """Turns the headers of a request into the user that it acts as."""

    def __init__(self, tokens: Mapping[str, str], store: Store) -> None:
        self._tokens = {token.encode(): ACCOUNTS[name].user for name, token in tokens.items()}
        self._store = store

    def user_of(self, headers: CIMultiDictProxy[str]) -> User:
        """Return the user after impersonation.

        Raises ApiError: 401 for an unknown token, 400 for groups without a user, 403 where the
        impersonation is not allowed.
        """
        return self._impersonated(self._authenticated(headers), headers)

    def _authenticated(self, headers: CIMultiDictProxy[str]) -> User:
        token = _token_of(headers)
        if token is None:
            return ANONYMOUS
        for known, user in self._tokens.items():
            if hmac.compare_digest(known, token):
                return User(user.name, (*user.groups, AUTHENTICATED), user.uid)
        raise unauthorized()

    def _impersonated(self, user: User, headers: CIMultiDictProxy[str]) -> User:
        name = headers.get("Impersonate-User", "")
        groups = headers.getall("Impersonate-Group", [])
        uid = headers.get("Impersonate-Uid", "")
        extras = [key for key in headers if key.lower().startswith("impersonate-extra-")]
        if not name:
            if groups or uid or extras:
                raise bad_request(_requested(groups, uid, extras))
            return user
        if name.startswith("system:serviceaccount:"):
            namespace, _, account = name.removeprefix("system:serviceaccount:").partition(":")
            self._require(user, "serviceaccounts", account, namespace=namespace)
            groups = groups or ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
        else:
            self._require(user, "users", name)
        for group in groups:
            self._require(user, "groups", group)
        if uid:
            self._require(user, "uids", uid, group="authentication.k8s.io")
        for key in extras:
            part = key.lower().removeprefix("impersonate-extra-")
            self._require(
                user, "userextras", headers[key], "authentication.k8s.io", subresource=part
            )
        if name != ANONYMOUS.name and AUTHENTICATED not in groups:
            groups = [*groups, AUTHENTICATED]
        return User(name, tuple(groups), uid)

    def _require(
        self,
        user: User,
        resource: str,
        name: str,
        group: str = "",
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> None:
        wanted = Attributes("impersonate", group, resource, subresource, namespace, name)
        require(self._store, user, wanted)


def _token_of(headers: CIMultiDictProxy[str]) -> bytes | None:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode()
    for offer in headers.get("Sec-WebSocket-Protocol", "").split(","):
        if offer.strip().startswith(BEARER_SUBPROTOCOL):
            text = offer.strip().removeprefix(BEARER_SUBPROTOCOL)
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                raise unauthorized() from None
    return None


def _requested(groups: list[str], uid: str, extras: list[str]) -> str:
    parts = [f"{{Group  {group}    }}" for group in groups]
    if uid:
        parts.append(f"{{UID  {uid}  authentication.k8s.io/v1  }}")
    parts += [f"{{UserExtra  {extra}  authentication.k8s.io/v1  }}" for extra in extras]
    return f"requested [{' '.join(parts)}] without impersonating a user"
