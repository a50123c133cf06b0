"""Whatever clients do, each one's transcript is true and input arrives once, in order.

A shell writes numbered bytes; clients cut, return, lag, take over, resend and resize in any order.
What a client was written must be the truth from the last screen on, and what reached the shell must
be what was accepted from each client, in the order of acceptance.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol import tty
from protocol.size import Size
from terminal.session.live import LiveSession
from tests.terminal.session.clock import JumpingLoop
from tests.terminal.session.fakes import FakeStream, silent
from tests.terminal.session.world import Client, World

KIB = 1024
NAMES = [f"client-{number}" for number in range(3)]


def truth(start: int, end: int) -> bytes:
    """Return the bytes of the shell's output between two offsets: each 8 bytes are their number."""
    first, last = start // 8, (end + 7) // 8
    words = b"".join(number.to_bytes(8, "big") for number in range(first, last))
    return words[start - first * 8 : end - first * 8]


class Person:
    """A client that comes and goes, with what survives its sockets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client: Client | None = None
        self.offset: int | None = None
        self.sent = b""
        """Everything typed that the server has accepted or may have accepted."""


class Sessions(RuleBasedStateMachine):
    """A session with three tabs of one person."""

    world: World
    session: LiveSession
    stream: FakeStream

    def __init__(self) -> None:
        super().__init__()
        self.loop = JumpingLoop()
        self.people = {name: Person(name) for name in NAMES}
        self.accepted = b""
        """What was accepted from anybody, in order."""

    def do(self, steps: Any) -> Any:
        return self.loop.run_until_complete(steps)

    @initialize()
    def start(self) -> None:
        async def steps() -> None:
            self.world = World()
            self.closing = asyncio.Event()
            opened = asyncio.Event()

            async def live() -> None:
                self.world.cluster.plays(silent)
                async with self.world:
                    self.session = self.world.open()
                    self.stream = await self.world.cluster.stream()
                    self.stream.on_input = lambda data: None
                    opened.set()
                    await self.closing.wait()

            self.living = asyncio.ensure_future(live())
            await opened.wait()

        self.do(steps())

    def teardown(self) -> None:
        async def steps() -> None:
            self.stream.takes_input.set()
            for person in self.people.values():
                await self._catch_up(person)
            await asyncio.sleep(1)
            self._check()
            assert bytes(self.stream.stdin) == self.accepted
            self.closing.set()
            await self.living

        if hasattr(self, "closing"):
            self.do(steps())
        self.loop.close()

    async def _catch_up(self, person: Person) -> None:
        """Read to the newest byte, as a client on a good line does."""
        if (client := person.client) is None:
            return
        # Whoever needs a screen waits for a model that is held, so it catches up as well.
        self._release_screen()
        client.acknowledges = True
        if client.view._window.in_flight:
            client.view.acked(client.view.position)
        while client.offset < self.session.output.head and not client.is_closed:
            await client.read()
        await client.reads_what_is_there()

    def _check(self) -> None:
        for person in self.people.values():
            if (client := person.client) is not None:
                assert client.text == truth(client.base, client.offset)
                assert client.offset <= self.session.output.head

    @rule(length=st.sampled_from([1, 7, 100, 5 * KIB, 70 * KIB, 700 * KIB, 3000 * KIB]))
    def shell_writes(self, length: int) -> None:
        async def steps() -> None:
            start = self.stream.written
            self.stream.writes(truth(start, start + length))
            await asyncio.sleep(0.01)

        self.do(steps())

    @rule(name=st.sampled_from(NAMES), has_forgotten=st.booleans(), cols=st.integers(80, 82))
    def client_joins(self, name: str, has_forgotten: bool, cols: int) -> None:
        async def steps() -> None:
            person = self.people[name]
            offset = None if has_forgotten else person.offset
            old = person.client
            client = self.world.join(self.session, name, size=Size(cols, 24), offset=offset)
            if old is not None:
                while not old.is_closed:
                    await old.read()
                old.leaves()
            person.client = client
            await client.until(lambda: bool(client.told(tty.Welcome)))
            assert client.welcome.input <= len(person.sent)
            client.typed = client.welcome.input
            person.sent = person.sent[: client.typed]
            if offset is not None:
                assert client.welcome.offset == offset
            assert self.session.owner is client.view

        self.do(steps())

    @rule(name=st.sampled_from(NAMES))
    def client_is_cut(self, name: str) -> None:
        person = self.people[name]
        if person.client is not None:
            person.offset = person.client.offset if person.client.told(tty.Welcome) else None
            person.client.leaves()
            person.client = None

    @rule(name=st.sampled_from(NAMES), events=st.integers(1, 20), acks=st.booleans())
    def client_reads(self, name: str, events: int, acks: bool) -> None:
        async def steps() -> None:
            client = self.people[name].client
            if client is None:
                return
            client.acknowledges = acks
            for _ in range(events):
                try:
                    async with asyncio.timeout(0.001):
                        event = await client.view.next()
                except TimeoutError:
                    break
                await client.take(event)

        self.do(steps())

    @rule(name=st.sampled_from(NAMES))
    def client_catches_up(self, name: str) -> None:
        self.do(self._catch_up(self.people[name]))
        client = self.people[name].client
        assert client is None or client.offset == self.session.output.head

    @rule(
        name=st.sampled_from(NAMES),
        data=st.binary(min_size=1, max_size=40),
        again=st.integers(0, 60),
    )
    def client_types(self, name: str, data: bytes, again: int) -> None:
        """Type, and repeat some of what was sent before."""
        person = self.people[name]
        client = person.client
        if client is None:
            return
        start = max(len(person.sent) - again, 0) if client.view.role == "owner" else 0
        piece = person.sent[start:] + data
        before = self.session.bytes_in
        self.session.type(client.view, start, piece)
        if self.session.owner is client.view:
            assert self.session.bytes_in == before + len(data)
            person.sent += data
            self.accepted += data
        else:
            assert self.session.bytes_in == before

    @rule(name=st.sampled_from(NAMES))
    def client_interrupts(self, name: str) -> None:
        self.client_types(name, b"\x03", 0)

    @rule(name=st.sampled_from(NAMES))
    def client_takes_over(self, name: str) -> None:
        client = self.people[name].client
        if client is not None:
            self.session.take(client.view, self.session.size)
            assert self.session.owner is client.view

    @rule(name=st.sampled_from(NAMES), cols=st.integers(80, 90))
    def client_resizes(self, name: str, cols: int) -> None:
        client = self.people[name].client
        if client is not None:
            self.session.resize(client.view, Size(cols, 24))

    @rule(takes_input=st.booleans())
    def shell_reads_its_input(self, takes_input: bool) -> None:
        if takes_input:
            self.stream.takes_input.set()
        else:
            self.stream.takes_input.clear()

    @rule(is_held=st.booleans())
    def screen_is_held(self, is_held: bool) -> None:
        if is_held:
            self.world.screens.screens[0].is_held = True
        else:
            self._release_screen()

    def _release_screen(self) -> None:
        screen = self.world.screens.screens[0]
        screen.is_held = False
        screen.consume(screen.backlog)

    @rule(seconds=st.sampled_from([0.01, 0.3, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    @invariant()
    def transcripts_are_true(self) -> None:
        if hasattr(self, "session"):
            self._check()
            assert self.accepted.startswith(bytes(self.stream.stdin))
            assert self.session.ending is None
            assert len([view for view in self.session.views if view.role == "owner"]) <= 1


TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
