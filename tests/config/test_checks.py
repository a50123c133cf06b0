"""config.checks: what must not be served with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.checks import check_configuration

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD_KEY = "Zk3J0vY8m2QeX5rT7wUa9cLd1fHg4iNoPbSs6"[:40] + "xyz123"


def ids() -> set[str]:
    return {str(message.id) for message in check_configuration()}


def test_a_good_configuration_has_no_errors() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("SECRET_KEY", "short", "config.E001"),
        ("SECRET_KEY", "x" * 80, "config.E001"),
        ("ALLOWED_HOSTS", ["*"], "config.E003"),
        ("ALLOWED_HOSTS", [], "config.E003"),
        ("HATCHWAY_ORIGINS", (), "config.E004"),
        ("HATCHWAY_ORIGINS", ("http://a.example", "https://a.example"), "config.E005"),
        ("HATCHWAY_VITE_SERVER", "http://127.0.0.1:5173", "config.E006"),
        ("HATCHWAY_REDIS_URL", "localhost:6379", "config.E007"),
        ("HATCHWAY_TRUSTED_PROXIES", ("0.0.0.0/0",), "config.E008"),
        ("HATCHWAY_TRUSTED_PROXIES", ("proxy",), "config.E008"),
    ],
)
def test_each_danger_has_its_id_and_a_hint(
    settings: Any, name: str, value: object, error: str
) -> None:
    setattr(settings, name, value)

    found = {str(message.id): message for message in check_configuration()}

    assert error in found
    assert found[error].hint


def test_the_example_key_is_refused(settings: Any) -> None:
    settings.SECRET_KEY = settings.INSECURE_SECRET_KEY

    assert "config.E001" in ids()


def test_debug_is_for_this_machine_alone(settings: Any) -> None:
    settings.DEBUG = True
    assert "config.E002" not in ids()
    settings.HATCHWAY_ORIGINS = ("https://hatchway.example.com",)
    assert "config.E002" in ids()


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HATCHWAY_")}
    return subprocess.run(
        [sys.executable, "-c", "import config.asgi"],
        cwd=ROOT,
        env={**clean, "DATABASE_URL": "sqlite://:memory:", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({}, "config.E001"),
        ({"HATCHWAY_SECRET_KEY": GOOD_KEY, "HATCHWAY_ALLOWED_HOSTS": "*"}, "config.E003"),
        (
            {
                "HATCHWAY_SECRET_KEY": GOOD_KEY,
                "HATCHWAY_DEBUG": "true",
                "HATCHWAY_ORIGINS": "https://hatchway.example.com",
            },
            "config.E002",
        ),
        (
            {"HATCHWAY_SECRET_KEY": GOOD_KEY, "HATCHWAY_ORIGINS": "https://*.example.com"},
            "HATCHWAY_ORIGINS",
        ),
        ({"HATCHWAY_SECRET_KEY": GOOD_KEY, "HATCHWAY_PORT": "http"}, "HATCHWAY_PORT"),
    ],
)
def test_the_process_does_not_start_with_a_bad_environment(
    environ: dict[str, str], word: str
) -> None:
    ended = start(**environ)

    assert ended.returncode != 0
    assert word in ended.stderr
    assert GOOD_KEY not in ended.stderr


def test_the_process_starts_with_a_good_environment() -> None:
    ended = start(HATCHWAY_SECRET_KEY=GOOD_KEY)

    assert ended.returncode == 0, ended.stderr
