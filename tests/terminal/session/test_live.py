"""A session carries bytes both ways, outlives its sockets and ends for a reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from protocol import tty
from protocol.close import CloseCode
from protocol.execution import Exited, StartFailed, StartFailure
from protocol.size import Size
from terminal.session.ending import Ending, EndReason
from terminal.session.launch import Shell
from terminal.session.limits import Limits
from tests.terminal.session.fakes import BOB, POD, SIZE, FakeStream, echo_shell, silent
from tests.terminal.session.world import World, attach_spec, exec_spec

KIB = 1024
MIB = 1024 * KIB


async def test_a_shell_can_be_typed_into_and_ends_with_its_exit_code() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        client.types(b"exit\r")
        ended = await client.sees_the_end()

        assert (ended.reason, ended.exit_code) == ("exited", 0)
        assert ended.data["offset"] == client.offset
        assert client.view.close_code is CloseCode.NORMAL
        assert client.text == b"$ exit\r\n$ "


async def test_the_welcome_comes_first_and_says_how_things_are() -> None:
    async with World() as world:
        session = world.open()

        client = world.join(session)

        event = await client.read()
        assert event == tty.Welcome(
            session=str(session.spec.id),
            role="owner",
            epoch=1,
            input=0,
            offset=0,
            live=0,
            cols=80,
            rows=24,
            state="starting",
            kind="exec",
            input_enabled=True,
            command="auto",
        )
        assert await client.is_told(tty.StateChanged) == tty.StateChanged("live")


async def test_auto_says_which_shell_it_became_and_not_in_the_output() -> None:
    async with World() as world:
        announced = b"\x1b]7737;hatchway=bash\x1b\\"
        world.cluster.plays(lambda stream: stream.writes(announced + b"$ ", piece=5))
        session = world.open()
        client = world.join(session)

        assert await client.is_told(tty.CommandKnown) == tty.CommandKnown("bash")
        await client.sees(b"$ ")

        assert client.text == b"$ "
        assert session.bytes_out == 2
        assert ("runs bash", session.spec.id) in world.ledger.entries
        late = world.join(session, "late-comer")
        event = await late.read()
        assert isinstance(event, tty.Welcome)
        assert event.command == "bash"


# Resuming


async def test_a_session_outlives_its_socket_and_goes_on_at_the_same_byte() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.leaves()
        stream = await world.cluster.stream()
        stream.writes(b"written while nobody watched\r\n")
        await asyncio.sleep(1)

        again = world.join(session, offset=client.offset)
        await again.sees(b"watched\r\n")

        assert again.welcome.offset == client.offset
        assert client.text + again.text == b"$ written while nobody watched\r\n"


async def test_a_reloaded_page_is_replayed_everything_up_to_live() -> None:
    async with World() as world:
        session = world.open()
        await world.join(session).sees(b"$ ")
        stream = await world.cluster.stream()
        stream.writes(bytes(range(256)) * 1000)
        await asyncio.sleep(0.1)

        reloaded = world.join(session, "client-two", offset=None)
        await reloaded.until(lambda: reloaded.offset == session.output.head)

        assert (reloaded.welcome.offset, reloaded.welcome.live) == (0, 256_002)
        assert reloaded.text == b"$ " + bytes(range(256)) * 1000
        assert not reloaded.resyncs


async def test_a_reloaded_page_gets_the_screen_when_the_size_has_changed_since() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        session.resize(client.view, Size(100, 30))
        session.resize(client.view, SIZE)

        reloaded = world.join(session, "client-two")
        await reloaded.is_told(tty.Resync)

        assert reloaded.resyncs == [tty.Resync("resume", 2, 2, 80, 24)]
        assert reloaded.screens[0].data == b"screen@2"


async def test_a_size_that_was_changed_before_any_output_needs_no_screen() -> None:
    async with World() as world:
        world.cluster.plays(silent)
        session = world.open()
        client = world.join(session, size=Size(132, 43))
        stream = await world.cluster.stream()
        stream.writes(b"hello")
        await client.sees(b"hello")

        reloaded = world.join(session, "client-two", size=Size(132, 43))
        await reloaded.sees(b"hello")

        assert not reloaded.resyncs


@pytest.mark.parametrize("offset", [10, None])
async def test_beyond_the_scrollback_the_screen_comes_with_what_was_skipped(
    offset: int | None,
) -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        stream.writes(b"x" * 3 * MIB)
        client.leaves()
        await asyncio.sleep(1)
        assert session.output.tail > 0

        again = world.join(session, offset=offset)
        await again.is_told(tty.Resync)
        stream.writes(b"more")
        await again.sees(b"more")

        head = 3 * MIB + 2
        assert again.resyncs == [tty.Resync("resume", head - (offset or 0), head, 80, 24)]
        assert again.text == b"more"


async def test_a_viewer_who_joins_late_is_told_that_it_joined() -> None:
    async with World() as world:
        session = world.open()
        (await world.cluster.stream()).writes(b"x" * 3 * MIB)
        await asyncio.sleep(1)

        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)
        resync = await viewer.is_told(tty.Resync)

        assert isinstance(resync, tty.Resync)
        assert resync.reason == "join"


async def test_an_offset_that_does_not_exist_yet_is_refused_and_changes_nothing() -> None:
    async with World() as world:
        session = world.open()
        owner = world.join(session)
        await owner.sees(b"$ ")

        with pytest.raises(tty.BadFrame, match="beyond"):
            world.join(session, "client-two", offset=3)

        assert session.owner is owner.view
        assert session.views == {owner.view}


# Commands


async def test_the_next_interpreter_is_tried_when_the_first_is_not_there() -> None:
    missing = StartFailed(StartFailure.NO_SHELL, "no such file")

    def is_missing(stream: FakeStream) -> None:
        stream.ends(missing)

    async with World() as world:
        world.cluster.plays(is_missing, is_missing, echo_shell)
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        words = [request.command[0] for request in world.cluster.requests if request.command]
        assert words == ["sh", "/bin/sh", "/bin/bash"]
        assert world.cluster.open_streams == 1
        assert world.ledger.entries == [("live", session.spec.id)]


async def test_input_typed_before_the_right_interpreter_was_found_is_not_lost() -> None:
    missing = StartFailed(StartFailure.NO_SHELL, "no such file")
    async with World() as world:
        world.cluster.plays(silent, echo_shell)
        session = world.open()
        client = world.join(session)
        first = await world.cluster.stream()
        client.types(b"ls\r")
        await asyncio.sleep(0.01)
        assert bytes(first.stdin) == b"ls\r"

        first.ends(missing)
        await client.sees(b"ls\r\n")

        assert bytes((await world.cluster.stream(1)).stdin) == b"ls\r"


async def test_a_flood_of_input_to_a_silent_program_is_not_remembered() -> None:
    async with World() as world:
        world.cluster.plays(silent)
        session = world.open()
        client = world.join(session)
        stream = await world.cluster.stream()
        for _ in range(10):
            client.types(b"x" * 64 * KIB)
            await asyncio.sleep(0.01)

        assert len(stream.stdin) == 640 * KIB
        assert session._handed is None


async def test_the_shell_has_the_right_size_from_the_first_prompt() -> None:
    async with World() as world:
        session = world.open(Size(132, 43))
        client = world.join(session)
        await client.sees(b"$ ")

        request = world.cluster.requests[0]
        assert request.command is not None
        assert request.size == Size(132, 43)
        assert request.command[-2:] == ("132", "43")


async def test_a_command_of_ones_own_is_argv_behind_the_script() -> None:
    async with World() as world:
        session = world.open(spec=exec_spec(Shell.CUSTOM, ("python3", "-c", "$(id); `id`")))
        await world.join(session).sees(b"$ ")

        command = world.cluster.requests[0].command
        assert command is not None
        assert command[-3:] == ("python3", "-c", "$(id); `id`")
        assert "id" not in command[2].split()
        assert session.program == "python3"


# Attaching


async def test_an_attached_process_gets_input_only_when_it_was_enabled() -> None:
    async with World() as world:
        session = world.open(spec=attach_spec())
        client = world.join(session)
        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)
        stream = await world.cluster.stream()
        await client.sees(b"$ ")
        assert not client.welcome.input_enabled

        session.type(client.view, 0, b"x")
        error = await client.is_told(tty.Error)
        session.enable_input(viewer.view)
        session.enable_input(client.view)
        session.enable_input(client.view)
        await client.is_told(tty.InputEnabled)
        await viewer.is_told(tty.InputEnabled)
        client.types(b"y")
        await client.sees(b"y")

        assert isinstance(error, tty.Error)
        assert error.code == "input_disabled"
        assert bytes(stream.stdin) == b"y"
        assert world.cluster.requests[0].command is None
        assert session.program == "attach"


async def test_input_cannot_be_enabled_where_nothing_reads_it() -> None:
    async with World() as world:
        session = world.open(spec=attach_spec(replace(POD, container_stdin=False)))
        client = world.join(session)

        await client.sees(b"$ ")

        session.enable_input(client.view)
        error = await client.is_told(tty.Error)

        assert isinstance(error, tty.Error)
        assert error.code == "no_stdin"
        assert not session.input_enabled
        assert not world.cluster.requests[0].stdin


async def test_line_feeds_of_a_process_without_a_terminal_become_new_lines() -> None:
    async with World() as world:
        world.cluster.plays(silent)
        session = world.open(spec=attach_spec())
        client = world.join(session)
        (await world.cluster.stream()).writes(b"one\ntwo\n")

        await client.sees(b"one\r\ntwo\r\n")

        assert not world.cluster.requests[0].tty


async def test_detaching_ends_nothing_in_the_container() -> None:
    async with World() as world:
        session = world.open(spec=attach_spec())
        client = world.join(session)
        await client.sees(b"$ ")

        session.end(Ending(EndReason.CLOSED_BY_OWNER, "Closed."))
        await world.ended(session)

        assert world.reaper.markers == []


# Its clocks


async def test_a_session_without_its_owner_ends_after_the_grace() -> None:
    async with World(Limits(detach_grace_seconds=600)) as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        assert session.deadlines.detached_seconds_left == 0
        client.leaves()
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        assert session.deadlines.detached_seconds_left == 600

        async with asyncio.timeout(1000):
            while session.ending is None:
                await asyncio.sleep(0.1)
        ending, _ = await world.ended(session)

        assert ending.reason is EndReason.DETACHED
        assert 600 <= loop.time() - before < 602


async def test_an_owner_who_comes_back_in_time_stops_the_grace() -> None:
    async with World(Limits(detach_grace_seconds=600)) as world:
        session = world.open()
        for _ in range(5):
            client = world.join(session)
            await asyncio.sleep(500)
            client.leaves()
            await asyncio.sleep(500)

        assert session.ending is None


async def test_a_viewer_does_not_keep_a_session_alive() -> None:
    async with World(Limits(detach_grace_seconds=5)) as world:
        session = world.open()
        viewer = world.join(session, "viewer-one", holder=BOB, may_own=False)

        ended = await viewer.sees_the_end()

        assert ended.reason == "detached"


async def test_an_owner_who_types_nothing_is_idle() -> None:
    async with World(Limits(idle_seconds=100)) as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        await asyncio.sleep(90)
        client.types(b"x")
        await asyncio.sleep(90)
        assert session.ending is None

        assert (await client.sees_the_end()).reason == "idle"


async def test_a_session_ends_at_its_longest_time() -> None:
    async with World(Limits(max_seconds=50)) as world:
        client = world.join(world.open())

        assert (await client.sees_the_end()).reason == "expired"


async def test_a_session_without_limits_lives() -> None:
    async with World(Limits(max_seconds=0)) as world:
        session = world.open()
        world.join(session)
        await asyncio.sleep(10_000)

        assert session.ending is None


async def test_a_shell_that_ends_itself_is_exited_with_its_code() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        (await world.cluster.stream()).ends(Exited(3))

        ended = await client.sees_the_end()

        assert (ended.reason, ended.exit_code) == ("exited", 3)
