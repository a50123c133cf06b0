"""config.views and config.vite: the one page, its health, and errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from config.headers import content_security_policy
from config.vite import Assets, FrontendMissing, entry_assets, is_immutable

MANIFEST: dict[str, dict[str, Any]] = {
    "src/main.ts": {
        "file": "assets/main-Ab12Cd34.js",
        "isEntry": True,
        "imports": ["_vendor.js"],
        "css": ["assets/main-Ef56Gh78.css"],
    },
    "_vendor.js": {"file": "assets/vendor-Ij90Kl12.js", "css": ["assets/vendor-Mn34Op56.css"]},
    "src/terminal.ts": {"file": "assets/terminal-Qr78St90.js", "isDynamicEntry": True},
}


@pytest.fixture
def built(tmp_path: Path, settings: Any) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(MANIFEST))
    settings.HATCHWAY_FRONTEND = tmp_path
    return tmp_path


def test_the_entry_brings_what_it_imports_and_nothing_lazy() -> None:
    assert entry_assets(MANIFEST) == Assets(
        scripts=("/static/dist/assets/main-Ab12Cd34.js",),
        styles=(
            "/static/dist/assets/vendor-Mn34Op56.css",
            "/static/dist/assets/main-Ef56Gh78.css",
        ),
        preloads=("/static/dist/assets/vendor-Ij90Kl12.js",),
    )


def test_a_manifest_without_an_entry_is_no_frontend() -> None:
    with pytest.raises(FrontendMissing):
        entry_assets({})


@pytest.mark.parametrize(
    ("url", "immutable"),
    [
        ("/static/dist/assets/main-Ab12Cd34.js", True),
        ("/static/dist/assets/main.js", False),
        ("/static/dist/.vite/manifest.json", False),
        ("/static/admin/css/base.css", False),
    ],
)
def test_only_hashed_files_are_kept_for_ever(url: str, immutable: bool) -> None:
    assert is_immutable("", url) is immutable


@pytest.mark.parametrize("address", ["/", "/sign-in", "/t/demo/shop/web-1/web", "/sessions"])
def test_every_address_of_the_frontend_is_the_page(built: Path, address: str) -> None:
    answer = Client().get(address)

    assert answer.status_code == 200
    text = answer.content.decode()
    assert '<script type="module" src="/static/dist/assets/main-Ab12Cd34.js"></script>' in text
    assert "hatchway_csrf" in answer.cookies


def test_the_page_has_nothing_inline(built: Path) -> None:
    text = Client().get("/").content.decode()

    assert not re.search(r"<script(?![^>]*src=)", text)
    assert "<style" not in text
    assert not re.search(r"\son\w+=|\sstyle=", text)


def test_the_page_makes_markup_from_text_nowhere(built: Path) -> None:
    policy = Client().get("/").headers["Content-Security-Policy"]

    assert policy.endswith("; require-trusted-types-for 'script'; trusted-types vue")
    assert "frame-ancestors 'none'" in policy


def test_the_policy_allows_nothing_inline_and_no_other_place() -> None:
    policy = content_security_policy()

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "connect-src 'self' ws://127.0.0.1:8000;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_speaks_the_browser_s_language(built: Path) -> None:
    answer = Client().get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})

    assert '<html lang="zh-CN">' in answer.content.decode()


def test_a_frontend_that_is_not_built_says_how(tmp_path: Path, settings: Any) -> None:
    settings.HATCHWAY_FRONTEND = tmp_path

    answer = Client().get("/")

    assert answer.status_code == 503
    assert "make build" in answer.content.decode()


def test_the_page_takes_no_post(built: Path) -> None:
    assert Client().post("/").status_code == 405


@pytest.mark.django_db
def test_health_is_ok_and_says_nothing_else() -> None:
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_health_is_503_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError("secret host")

    monkeypatch.setattr(connection, "cursor", fail)

    answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
