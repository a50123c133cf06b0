"""The invariants of ARCHITECTURE.md that can be seen in the source: things that are not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("access", "config", "democluster", "kube", "protocol", "targets", "terminal")
PYTHON = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FRONTEND = [
    path
    for path in sorted((ROOT / "frontend" / "src").rglob("*"))
    if path.suffix in {".ts", ".vue"} and ".test." not in path.name and "testing" not in path.parts
]
OWNERLESS = {"create_task", "ensure_future", "run_coroutine_threadsafe"}
TWISTED_HOOK = ("config/lifespan.py", "ensure_future")
"""Daphne's reactor takes a Deferred and waits for it: it is the owner."""


def name_of(path: Path) -> str:
    """Return the path as it stands in the documents."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield what is called on what, and where: ("asyncio", "sleep", 12)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node.lineno


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_every_task_has_an_owner(path: Path) -> None:
    ownerless = [
        f"{name_of(path)}:{line}"
        for owner, called, line in calls(path)
        if called in OWNERLESS
        and (owner == "asyncio" or owner.endswith("loop") or owner.endswith("loop()"))
        and (name_of(path), called) != TWISTED_HOOK
    ]

    assert ownerless == []


@pytest.mark.parametrize("path", [p for p in PYTHON if p.name == "__init__.py"], ids=name_of)
def test_a_package_is_its_rule_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text("utf-8")).body

    is_generated = path.parent.name in {"migrations", "management", "commands"}
    assert len(body) <= 1
    assert is_generated or isinstance(body[0], ast.Expr)


def test_nothing_in_protocol_awaits() -> None:
    waiting = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)

    for path in (ROOT / "protocol").rglob("*.py"):
        found = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, waiting)]
        assert found == [], name_of(path)


def test_secrets_come_from_the_system() -> None:
    users = {
        name_of(path)
        for path in PYTHON
        if re.search(r"^(import random|from random )", path.read_text("utf-8"), re.MULTILINE)
    }

    # Jitter before a retry is no secret.
    assert users <= {"kube/backoff.py"}


def test_one_file_opens_sockets_in_the_browser() -> None:
    users = [name_of(p) for p in FRONTEND if re.search(r"= new WebSocket\(", p.read_text("utf-8"))]

    assert users == ["frontend/src/transport/socket.ts"]


def test_the_emulator_is_made_in_one_place_and_extended_by_nothing_that_answers_output() -> None:
    makers = [name_of(p) for p in FRONTEND if re.search(r"new Terminal\(", p.read_text("utf-8"))]
    addons = {
        addon
        for path in FRONTEND
        for addon in re.findall(r"@xterm/addon-([a-z0-9-]+)", path.read_text("utf-8"))
    }

    assert makers == ["frontend/src/terminal/xterm-view.ts"]
    # Neither the clipboard's (OSC 52) nor the images': both answer what programs write.
    assert addons == {"fit", "search", "unicode11", "web-links", "webgl"}


@pytest.mark.parametrize("word", ["v-html", "innerHTML", "outerHTML", "insertAdjacentHTML"])
def test_text_never_becomes_markup_in_the_browser(word: str) -> None:
    assert [name_of(path) for path in FRONTEND if word in path.read_text("utf-8")] == []


def test_text_never_becomes_markup_on_the_server() -> None:
    templates = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]
    pattern = re.compile(r"mark_safe|SafeString|\|\s*safe\b|autoescape off")

    found = [name_of(p) for p in [*PYTHON, *templates] if pattern.search(p.read_text("utf-8"))]

    assert found == []
