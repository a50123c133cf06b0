"""The shell selector becomes an argv; a person's words are never part of a script."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from terminal.session.launch import Announcement, Launch, Shell

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


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_first_bytes_of_auto_say_which_shell_it_became(shell: str, tmp_path: Path) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"needs {shell}")
    for name in {"sh", shell}:
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    command = Launch(Shell.AUTO).attempts("m-1", 80, 24)[0]

    shown = subprocess.run(
        [str(tmp_path / command[0]), *command[1:]],
        input=b"echo one\n",
        capture_output=True,
        check=True,
        timeout=20,
        env={"PATH": str(tmp_path)},
    )
    announcement = Announcement()

    assert announcement.take(shown.stdout) == b"one\n"
    assert announcement.shell == shell
    assert b"7737" not in shown.stderr


ANNOUNCED = b"\x1b]7737;hatchway=bash\x1b\\"


@pytest.mark.parametrize("piece", [1, 2, 7, 100])
def test_an_announcement_may_come_in_pieces(piece: int) -> None:
    announcement, output = Announcement(), b""
    sent = ANNOUNCED + b"$ ls"

    for start in range(0, len(sent), piece):
        if announcement.is_over:
            output += sent[start:]
            break
        output += announcement.take(sent[start : start + piece])

    assert (output, announcement.shell) == (b"$ ls", "bash")


@pytest.mark.parametrize(
    "sent", [b"$ ", b"\x1b[2J", b"\x1b]7737;hatchway=fish\x1b\\$ ", b" " + ANNOUNCED, b"\x1b"]
)
def test_what_is_no_announcement_is_output(sent: bytes) -> None:
    announcement = Announcement()

    assert announcement.take(sent) + announcement.rest() == sent
    assert announcement.shell is None
