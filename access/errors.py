"""Refusals that a person is told about, as PeerVisibleError: code, sentence, data."""

from __future__ import annotations

from typing import Any

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError
from protocol.reason import Reason


class SignedOut(PeerVisibleError):
    """Nobody is signed in, or the login session has ended."""

    code = "signed_out"
    close_code = CloseCode.SIGNED_OUT

    def __init__(self) -> None:
        super().__init__("Nobody is signed in. Sign in and try again.")


class WrongCredentials(PeerVisibleError):
    """User name and password do not belong together, or the account is disabled."""

    code = "wrong_credentials"
    close_code = CloseCode.BAD_FRAME

    def __init__(self) -> None:
        super().__init__("The user name or the password is wrong.")


class Invalid(PeerVisibleError):
    """A value is not acceptable; `data` says which."""

    code = "invalid"
    close_code = CloseCode.BAD_FRAME


class Forbidden(PeerVisibleError):
    """The right to do this is missing; `data` names the action and whom to ask."""

    code = "forbidden"
    close_code = CloseCode.FORBIDDEN


class NotFound(PeerVisibleError):
    """It does not exist, or this person may not know that it does."""

    code = "not_found"
    close_code = CloseCode.NOT_FOUND


class TooMany(PeerVisibleError):
    """A limit is reached; `data.retry_after` says in how many seconds to try again, if known."""

    code = "too_many"
    close_code = CloseCode.TOO_MANY


class TicketRefused(PeerVisibleError):
    """A ticket is unknown, used, too old or somebody else's. Which of them stays in the log."""

    code = "forbidden"
    close_code = CloseCode.FORBIDDEN

    def __init__(self, why: str) -> None:
        super().__init__("The ticket is not valid. Ask for a new one.")
        self.why = why


def forbidden(message: str | Reason, *, action: str, owner: str, **data: Any) -> Forbidden:
    """Return a refusal that says which action is missing and whom to ask."""
    return Forbidden(message, action=action, owner=owner, **data)
