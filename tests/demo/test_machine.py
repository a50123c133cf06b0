"""What a machine lacks is said in one line, before anything is installed."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from deploy.demo import machine
from deploy.demo.errors import StartError


def program(folder: Path, name: str, prints: str = "") -> None:
    """Put a program that prints one line into `folder`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)


def refusal(check: object, *arguments: object) -> str:
    """Return the sentence with which `check` refuses."""
    assert callable(check)
    with pytest.raises(StartError) as caught:
        check(*arguments)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_missing_node_is_named(programs: Path) -> None:
    assert "there is no node on the PATH" in refusal(machine.check_node)


@pytest.mark.parametrize("version", ["v18.20.4", "v20.18.3", "v4.9.1"])
def test_old_node_is_named_with_its_version(programs: Path, version: str) -> None:
    program(programs, "node", version)
    program(programs, "npm")

    sentence = refusal(machine.check_node)

    assert version in sentence
    assert "20.19" in sentence


def test_node_that_says_nothing_is_refused(programs: Path) -> None:
    program(programs, "node", "hello")

    assert "does not say which version" in refusal(machine.check_node)


def test_node_without_npm_is_refused(programs: Path) -> None:
    program(programs, "node", "v22.1.0")

    assert "there is no npm" in refusal(machine.check_node)


@pytest.mark.parametrize("version", ["v20.19.0", "v22.0.0", "v24.3.1-nightly"])
def test_new_enough_node_passes(programs: Path, version: str) -> None:
    program(programs, "node", version)
    program(programs, "npm")

    machine.check_node()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_virtual_environments_is_refused(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else real(name)
    )

    sentence = refusal(machine.check_python)

    assert module in sentence
    assert "python3-venv" in sentence


def test_port_in_use_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        sentence = refusal(machine.check_port, port)

    assert f"Port {port} " in sentence
    assert f"HATCHWAY_PORT={port + 1}" in sentence


def test_free_port_passes() -> None:
    machine.check_port(machine.free_port())


def test_port_is_8000_unless_the_environment_says_otherwise() -> None:
    assert machine.read_port({}) == 8000
    assert machine.read_port({"HATCHWAY_PORT": "9001"}) == 9001


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80 80", "http", "8e3", "٣"])
def test_port_that_is_none_is_refused(text: str) -> None:
    assert "HATCHWAY_PORT" in refusal(machine.read_port, {"HATCHWAY_PORT": text})
