"""The texts that the server renders, in Simplified Chinese."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"


def entries() -> dict[str, str]:
    """Return the catalogue's source."""
    text = (CATALOGUE / "django.po").read_text("utf-8")
    found = re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', text, re.MULTILINE)
    return {ast.literal_eval(f'"{key}"'): ast.literal_eval(f'"{value}"') for key, value in found}


def test_every_text_has_a_translation_and_the_compiled_catalogue_is_its_own() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for key, value in entries().items():
        assert value, key
        assert compiled.gettext(key) == value
    assert "fuzzy" not in (CATALOGUE / "django.po").read_text("utf-8")


def test_no_text_of_ours_is_missing_or_unused() -> None:
    used: set[str] = set()
    for app in ("access", "config", "targets", "terminal"):
        for path in (ROOT / app).rglob("*.py"):
            used |= _texts(ast.parse(path.read_text("utf-8")))
    templates = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "terminal").rglob("*.html")]
    for path in templates:
        used |= set(re.findall(r"{% translate ['\"](.+?)['\"]", path.read_text("utf-8")))

    assert used - set(entries()) == set()
    assert set(entries()) - used == set()


def _texts(tree: ast.AST) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("_", "gettext", "gettext_lazy")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_models_and_errors_speak_chinese() -> None:
    from access.models import Grant

    with override("zh-hans"):
        assert str(Grant._meta.verbose_name) == "授权"
    answer = Client().get("/api/nowhere", headers={"Accept-Language": "zh-CN"})
    assert answer.json()["error"]["message"] == "此处没有内容。"


@pytest.mark.django_db
def test_the_admin_site_speaks_chinese(admin: Any, browser_of: Any) -> None:
    answer = browser_of(admin).get("/admin/", headers={"Accept-Language": "zh-CN"})

    assert "审计事件" in answer.content.decode()
