"""Who acts: the signed-in person as a cluster may be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's user name and groups, made by the server, never by a client.

    Where a cluster is configured with `impersonate`, exactly these become `Impersonate-User` and
    one `Impersonate-Group` each. Where it is `service-account`, the cluster does not see them.
    """

    user: str
    groups: tuple[str, ...] = ()
