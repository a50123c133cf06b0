"""The few objects that kubectl sends in protobuf and cannot be talked out of.

kubectl's typed commands (`auth can-i`, `create namespace`) encode their request bodies in
protobuf. Only the fields that those commands fill in are known here; others are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from democluster.objects import JsonObject
from democluster.status import bad_request, unsupported_media_type

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
"""Every protobuf object of Kubernetes begins with this; a `runtime.Unknown` follows."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Message:
    """Names of the text fields and of the message fields of a type, by field number."""

    texts: Mapping[int, str]
    messages: Mapping[int, tuple[str, Message]]


_METADATA = (
    "metadata",
    Message({1: "name", 2: "generateName", 3: "namespace"}, {}),
)
_RESOURCE = Message(
    {
        1: "namespace",
        2: "verb",
        3: "group",
        4: "version",
        5: "resource",
        6: "subresource",
        7: "name",
    },
    {},
)
_PATH = Message({1: "path", 2: "verb"}, {})
_ACCESS = Message({}, {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", _PATH)})
_RULES = Message({1: "namespace"}, {})
_KINDS = {
    "SelfSubjectAccessReview": Message({}, {1: _METADATA, 2: ("spec", _ACCESS)}),
    "SelfSubjectRulesReview": Message({}, {1: _METADATA, 2: ("spec", _RULES)}),
    "SelfSubjectReview": Message({}, {1: _METADATA}),
    "Namespace": Message({}, {1: _METADATA}),
}
_TYPE = Message({1: "apiVersion", 2: "kind"}, {})


def decode(data: bytes) -> JsonObject:
    """Return the object in a request body. Raises ApiError: 400, or 415 for an unknown kind."""
    if not data.startswith(MAGIC):
        raise bad_request("the body is not a protobuf object of Kubernetes")
    parts = dict(_fields(data[len(MAGIC) :]))
    about, raw = parts.get(1, b""), parts.get(2, b"")
    decoded = _decode(about, _TYPE)
    known = _KINDS.get(decoded.get("kind", ""))
    if known is None:
        raise unsupported_media_type()
    return decoded | _decode(raw, known)


def _decode(data: bytes, message: Message) -> JsonObject:
    decoded: JsonObject = {}
    for number, value in _fields(data):
        if number in message.texts:
            decoded[message.texts[number]] = value.decode(errors="replace")
        elif number in message.messages:
            name, below = message.messages[number]
            decoded[name] = _decode(value, below)
    return decoded


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the length-delimited fields; the others are skipped."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        elif kind == _BYTES:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        else:
            raise bad_request("the protobuf body is malformed")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise bad_request("the protobuf body is malformed")
