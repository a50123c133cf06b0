"""Signing in and out, and what the signed-in person may do (docs/api.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Field, Router, Schema, Status

from access.address import address_of
from access.audit import EventTag, record
from access.errors import Invalid, SignedOut, WrongCredentials
from access.login import person_of
from access.policy import grants_of, rights_of
from access.throttle import one_attempt
from protocol.reason import Reason, ReasonCode

router = Router(tags=["access"])

MAX_PASSWORD = 4096
"""Characters; hashing takes longer with length."""


class Limits(Schema):
    """How long sessions last and how many there may be."""

    detach_grace_seconds: int
    idle_seconds: int
    max_seconds: int
    sessions_per_person: int


class Me(Schema):
    """The signed-in person, and what the pages need to know of this installation."""

    username: str
    full_name: str
    groups: list[str]
    is_staff: bool
    actions: list[str]
    version: str
    demo: bool
    recorded: bool
    limits: Limits
    debug_images: list[str]


class Credentials(Schema):
    """A user name and its password."""

    username: str = Field(max_length=150)
    password: str = Field(max_length=MAX_PASSWORD)


class PasswordChange(Schema):
    """The old and the new password."""

    old: str = Field(max_length=MAX_PASSWORD)
    new: str = Field(max_length=MAX_PASSWORD)


class GrantOut(Schema):
    """A grant as its holder sees it."""

    id: UUID
    name: str
    actions: list[str]
    cluster: str
    namespaces: list[str]
    labels: str
    containers: list[str]
    until: datetime | None
    owner: str


@router.get("/me", response=Me, auth=None)
def read_me(request: HttpRequest) -> Me:
    """Return the signed-in person. Sets the CSRF cookie for everybody."""
    get_token(request)
    user = person_of(request)
    if user is None:
        raise SignedOut
    return _me(user)


@router.post("/sign-in", response=Me, auth=None)
def sign_in(request: HttpRequest, body: Credentials) -> Me:
    """Start a login session."""
    with one_attempt(body.username, address_of(request)):
        user = authenticate(request, username=body.username, password=body.password)
    if user is None:
        raise WrongCredentials
    login(request, user)
    return _me(user)


@router.post("/sign-out", response={204: None})
def sign_out(request: HttpRequest) -> Status[None]:
    """End the login session, and with it every session that it started."""
    logout(request)
    return Status(204, None)


@router.post("/password", response={204: None})
def change_password(request: HttpRequest, body: PasswordChange) -> Status[None]:
    """Change the person's own password. Every other login session of theirs ends."""
    user: Any = request.user
    address = address_of(request)
    with one_attempt(user.get_username(), address):
        is_right = user.check_password(body.old)
        if not is_right:
            record(EventTag.LOGIN_FAIL, user=user, address=address, reason="password change")
    if not is_right:
        raise _weak([Reason(ReasonCode.OLD_PASSWORD_WRONG)])
    try:
        validate_password(body.new, user)
    except ValidationError as error:
        raise _weak([_reason_of(one) for one in error.error_list]) from None
    user.set_password(body.new)
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    record(EventTag.PASSWORD_CHANGE, user=user, address=address)
    return Status(204, None)


@router.get("/grants/mine", response=list[GrantOut])
def read_my_grants(request: HttpRequest) -> list[GrantOut]:
    """Return the person's grants, their own and their groups'."""
    return [
        GrantOut(
            id=grant.id,
            name=grant.name,
            actions=list(map(str, grant.actions)),
            cluster=grant.cluster,
            namespaces=list(grant.namespace_patterns),
            labels=grant.labels,
            containers=list(grant.container_patterns),
            until=grant.until,
            owner=grant.owner,
        )
        for grant in grants_of(request.user)
    ]


def _weak(problems: Sequence[Reason | str]) -> Invalid:
    """Return the refusal of a password, with every problem it has."""
    return Invalid(
        " ".join(map(str, problems)),
        problems=[str(one) for one in problems],
        because_each=[one.to_wire() if isinstance(one, Reason) else None for one in problems],
    )


def _reason_of(error: ValidationError) -> Reason | str:
    """Return what Django's validators say, or the sentence of a validator that is none of them."""
    try:
        code = ReasonCode(str(error.code))
    except ValueError:
        return " ".join(map(str, error.messages))
    return Reason(code, {name: str(value) for name, value in (error.params or {}).items()})


def _me(user: Any) -> Me:
    actions = rights_of(user).actions()
    return Me(
        username=user.get_username(),
        full_name=user.get_full_name(),
        groups=sorted(user.groups.values_list("name", flat=True)),
        is_staff=user.is_staff,
        actions=sorted(action.value for action in actions),
        version=settings.VERSION,
        demo=settings.HATCHWAY_DEMO,
        recorded=False,
        limits=Limits(
            detach_grace_seconds=settings.HATCHWAY_DETACH_GRACE_SECONDS,
            idle_seconds=settings.HATCHWAY_IDLE_SECONDS,
            max_seconds=settings.HATCHWAY_MAX_SECONDS,
            sessions_per_person=settings.HATCHWAY_SESSIONS_PER_PERSON,
        ),
        debug_images=list(settings.HATCHWAY_DEBUG_IMAGES),
    )
