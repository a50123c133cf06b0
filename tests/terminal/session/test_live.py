"""A session carries bytes both ways, outlives its sockets and ends for a reason."""

from __future__ import annotations

from terminal.session.ending import EndReason
from tests.terminal.session.fakes import World


async def test_a_shell_can_be_typed_into_and_ends_with_its_exit_code() -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")

        client.types(b"exit\r")
        ended = await client.sees_the_end()

        assert (ended.reason, ended.exit_code) == (EndReason.EXITED, 0)
        assert ended.data["offset"] == client.offset
