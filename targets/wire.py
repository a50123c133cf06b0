"""`hatchway.targets.v1`: what a client may say, and the messages to it (docs/protocol.md)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.close import CloseCode
from protocol.errors import PeerVisibleError, RemoteProtocolError
from protocol.reason import Reason
from protocol.target import InvalidTarget, check_cluster
from targets.tree import PodMessage

SUBPROTOCOL = "hatchway.targets.v1"
MAX_TEXT = 16 * 1024
"""Characters of a message from a client: the names of MAX_CLUSTERS clusters."""
MAX_CLUSTERS = 100
MAX_PODS = 200
"""Pods in one message."""


class BadMessage(PeerVisibleError, RemoteProtocolError):
    """A client sent something that docs/protocol.md does not allow."""

    code = "bad_frame"
    close_code = CloseCode.BAD_FRAME


@dataclass(frozen=True, slots=True)
class Hello:
    """Which clusters to watch."""

    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life, answered with the same number."""

    t: float


def decode(frame: str | bytes) -> Hello | Ping:
    """Return what a client said. Raises BadMessage."""
    if isinstance(frame, bytes):
        raise BadMessage("This socket takes text messages only.")
    if len(frame) > MAX_TEXT:
        raise BadMessage(f"A message has at most {MAX_TEXT} characters.", limit=MAX_TEXT)
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        raise BadMessage("A message is one JSON object.") from None
    if not isinstance(message, dict):
        raise BadMessage("A message is one JSON object.")
    match message.get("type"):
        case "hello":
            return Hello(_clusters(message.get("clusters")))
        case "ping":
            t = message.get("t")
            if isinstance(t, bool) or not isinstance(t, int | float) or not math.isfinite(t):
                raise BadMessage("`t` is a number.")
            return Ping(t)
        case _:
            raise BadMessage("The type of a message is unknown.")


def _clusters(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_CLUSTERS:
        raise BadMessage(f"`clusters` is a list of at most {MAX_CLUSTERS} names.")
    try:
        return tuple(dict.fromkeys(check_cluster(name) for name in value))
    except InvalidTarget as error:
        raise BadMessage(error.message) from None


def pong(t: float) -> str:
    """Return the answer to a ping."""
    return _encode({"type": "pong", "t": t})


def cluster_state(
    cluster: str,
    state: str,
    message: str,
    namespaces: Sequence[str],
    because: Reason | None = None,
) -> str:
    """Return the message about a cluster's state."""
    return _encode(
        {
            "type": "cluster",
            "cluster": cluster,
            "state": state,
            "message": message,
            "because": because.to_wire() if because else None,
            "namespaces": list(namespaces),
        }
    )


def pods(cluster: str, found: Sequence[PodMessage], *, reset: bool) -> Iterator[str]:
    """Yield messages with these pods; a reset is sent even when there are none."""
    for start in range(0, max(len(found), 1 if reset else 0), MAX_PODS):
        yield _encode(
            {
                "type": "pods",
                "cluster": cluster,
                "reset": reset and start == 0,
                "pods": found[start : start + MAX_PODS],
            }
        )


def gone(cluster: str, uids: Sequence[str]) -> str:
    """Return the message that these pods are gone."""
    return _encode({"type": "gone", "cluster": cluster, "pods": list(uids)})


def _encode(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
