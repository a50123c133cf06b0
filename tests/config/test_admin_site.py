"""The admin site leaves passwords to the pages that throttle and record them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page(client: Client) -> None:
    first = client.get("/admin/").headers["Location"]
    second = client.get(first).headers["Location"]

    assert second == "/sign-in?next=%2Fadmin%2F"


@pytest.mark.parametrize("method", ["get", "post"])
def test_passwords_are_changed_on_the_account_page(client: Client, method: str) -> None:
    root = User.objects.create_superuser("root", password="a long pass phrase")
    client.force_login(root)

    answer = getattr(client, method)("/admin/password_change/")

    assert answer.headers["Location"] == "/account"
