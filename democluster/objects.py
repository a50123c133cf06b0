"""JSON objects of the Kubernetes API and the small values in them: names, times, UIDs."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes random names of: no vowels, so that no word appears."""


def now() -> str:
    """Return the present as Kubernetes writes it in objects: UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_micro() -> str:
    """Return the present as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Return the moment that an RFC 3339 text names. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text:
        raise ValueError(f"not an RFC 3339 time: {text}")
    return moment


def new_uid() -> str:
    """Return a fresh object UID."""
    return str(uuid.uuid4())


def random_suffix(length: int = 5) -> str:
    """Return the random end of a generated name."""
    return "".join(secrets.choice(NAME_ALPHABET) for _ in range(length))


def template_hash(template: JsonObject) -> str:
    """Return the pod-template-hash label of a pod template: the same text for the same template."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(NAME_ALPHABET[byte % len(NAME_ALPHABET)] for byte in digest[:10])


def owner_reference(owner: JsonObject) -> JsonObject:
    """Return the controller reference that a child of `owner` carries."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_owned_by(child: JsonObject, owner: JsonObject) -> bool:
    """Tell whether `owner` is the controller of `child`."""
    references = child["metadata"].get("ownerReferences", [])
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in references)
