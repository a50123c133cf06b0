"""Request bodies of kubectl's typed commands."""

from __future__ import annotations

import pytest

from democluster.protobuf import MAGIC, decode
from democluster.status import ApiError


def text(number: int, value: bytes) -> bytes:
    return bytes(((number << 3) | 2, len(value))) + value


def body(kind: bytes, raw: bytes) -> bytes:
    return MAGIC + text(1, text(1, b"v1") + text(2, kind)) + text(2, raw)


def test_access_review_is_decoded() -> None:
    wanted = text(1, b"shop") + text(2, b"create") + text(5, b"pods") + text(6, b"exec")

    decoded = decode(body(b"SelfSubjectAccessReview", text(2, text(1, wanted))))

    assert decoded["kind"] == "SelfSubjectAccessReview"
    assert decoded["spec"]["resourceAttributes"] == {
        "namespace": "shop",
        "verb": "create",
        "resource": "pods",
        "subresource": "exec",
    }


def test_other_kinds_of_fields_are_skipped() -> None:
    raw = b"\x18\x96\x01" + b"\x25abcd" + b"\x29abcdefgh" + text(1, text(1, b"new"))

    assert decode(body(b"Namespace", raw))["metadata"] == {"name": "new"}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"{}", 400), (MAGIC + b"\x0f", 400), (MAGIC + b"\xff\xff", 400), (body(b"Pod", b""), 415)],
)
def test_what_is_not_understood_is_refused(data: bytes, code: int) -> None:
    with pytest.raises(ApiError) as raised:
        decode(data)

    assert raised.value.code == code
