"""The shell selector becomes an argv; a person's words are never part of a script."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from terminal.session.launch import Launch, Shell

HOSTILE = ["; id", "$(id)", "`id`", "|", "&&", "\n", "--", "-c", "${IFS}", "'", '"', "\\"]


@pytest.mark.parametrize("shell", list(Shell))
def test_the_script_is_the_same_for_everybody(shell: Shell) -> None:
    first = Launch(shell, ("ls",)).attempts("m-1", 80, 24)
    second = Launch(shell, tuple(HOSTILE)).attempts("m-2", 132, 43)

    scripts = [
        {command[2] for command in each if command[1:2] == ("-c",)} for each in (first, second)
    ]
    assert scripts[0] == scripts[1]
    assert len(scripts[0]) == 1


def test_a_custom_command_is_tried_as_it_is_when_there_is_no_shell() -> None:
    assert Launch(Shell.CUSTOM, ("/app", "-x")).attempts("m", 80, 24)[-1] == ("/app", "-x")


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
def test_hostile_words_reach_the_program_as_they_are_with_marker_and_language() -> None:
    names = ["HATCHWAY_SESSION", "TERM", "LANG"]
    script = f"import os, sys; print([*map(os.environ.get, {names}), *sys.argv[1:]])"
    command = Launch(Shell.CUSTOM, ("python3", "-c", script, *HOSTILE)).attempts("m-1", 80, 24)[0]

    shown = subprocess.run(
        command,
        capture_output=True,
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )

    assert eval(shown.stdout) == ["m-1", "xterm-256color", "C.UTF-8", *HOSTILE]
