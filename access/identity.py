"""Who a signed-in person is to a cluster."""

from __future__ import annotations

from typing import Any

from protocol.identity import Identity


def identity_of(user: Any) -> Identity:
    """Return the person's identity: the account's name and its groups' names, sorted.

    Never from anything that a client sent. Asks the database once.
    """
    return Identity(
        user=user.get_username(), groups=tuple(sorted(user.groups.values_list("name", flat=True)))
    )


async def aidentity_of(user: Any) -> Identity:
    """Return the same, asynchronously."""
    names = [name async for name in user.groups.values_list("name", flat=True)]
    return Identity(user=user.get_username(), groups=tuple(sorted(names)))
