"""The peers' wires, each spoken with its real server in front of a shell of this machine."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil
import pytest

from bench import processes, screen, terminado, ttyd
from bench.flood import interrupt
from bench.web_peer import WebPeer, running_web_peer

SHELL = ["env", "PS1=# ", "sh"]
SLOW_BYTES_PER_SECOND = 400_000


def serving(name: str, log: Path) -> AbstractAsyncContextManager[WebPeer]:
    """Run a peer's server, or skip where it is not installed."""
    if name == terminado.NAME:
        return running_web_peer(terminado.TerminadoShell, terminado.server_command(SHELL), log)
    program = ttyd.find_ttyd()
    if program is None:
        pytest.skip(ttyd.HOW_TO_GET)
    return running_web_peer(ttyd.TtydShell, ttyd.server_command(program, SHELL), log)


@pytest.fixture(params=[terminado.NAME, ttyd.NAME])
async def peer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WebPeer]:
    """A peer that serves a local shell."""
    async with serving(request.param, tmp_path / "peer.log") as running:
        yield running


async def test_a_shell_answers_in_a_terminal_of_its_size(peer: WebPeer) -> None:
    async with peer.shell() as shell:
        shell.forget()
        await shell.type(b"stty size; echo se'en'\r")
        await shell.until(b"24 80\r\nseen\r\n")


async def test_bytes_beyond_ascii_pass(peer: WebPeer) -> None:
    async with peer.shell() as shell:
        shell.forget()
        await shell.type("echo '容''器'\r".encode())
        await shell.until("容器\r\n".encode())


async def test_each_shell_is_one_of_its_own(peer: WebPeer) -> None:
    async with peer.shell() as one, peer.shell() as other:
        await one.run(b"mine=1")
        other.forget()
        await other.type(b'echo "[$mine]"\r')
        await other.until(b"\n[]\r\n")


async def test_a_flood_is_counted_whole_and_shown_no_faster_than_its_terminal(
    peer: WebPeer,
) -> None:
    size = 300_000
    async with peer.shell(SLOW_BYTES_PER_SECOND) as shell:
        before = shell.received
        began = time.monotonic()
        await shell.run(b"yes | head -c %d" % size)
        seconds = time.monotonic() - began

        # Each line end is two bytes on a terminal; the command and the prompts come on top.
        assert 0 <= shell.received - before - size * 1.5 < 200
        assert seconds >= size * 1.5 / SLOW_BYTES_PER_SECOND * 0.9


async def test_a_flood_ends_with_ctrl_c(peer: WebPeer) -> None:
    async with peer.shell() as shell:
        assert await interrupt(shell, 0.1) < 30


async def test_memory_is_that_of_the_server_and_of_its_programs(peer: WebPeer) -> None:
    nobody = peer.memory()
    async with peer.shell():
        somebody = peer.memory()

    assert nobody.server > 0
    assert nobody.programs == 0
    assert somebody.programs > 0
    assert somebody.total == somebody.server + somebody.programs


@pytest.mark.parametrize("name", [terminado.NAME, ttyd.NAME])
async def test_leaving_ends_the_server_and_programs_that_ignore_its_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "LEAVE_TRIES", 1)
    monkeypatch.setattr(processes, "END_SECONDS", 2.0)
    async with serving(name, tmp_path / "peer.log") as running:
        server = psutil.Process(running.pid)
        async with running.shell() as shell:
            await shell.type(b"trap '' HUP TERM INT; echo o'k'; sleep 1000\r")
            await shell.until(b"ok\r\n")
            everything = [server, *server.children(recursive=True)]

    assert len(everything) > 1
    _, alive = psutil.wait_procs(everything, timeout=5)
    assert alive == []


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no such option >&2; exit 1"]
    with pytest.raises(RuntimeError, match="no such option"):
        async with processes.serving(command, 1, tmp_path / "peer.log"):
            pass
