"""Cables that are cut at every moment: nothing is lost, nothing comes twice, one person types."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.democluster.running import RunningDemoCluster
from tests.e2e.faultproxy import FaultProxy, fault_proxy
from tests.e2e.other_client import Hatchway
from tests.e2e.person import ask, sign_in, terminal
from tests.e2e.running import RunningHatchway, running_hatchway
from tests.e2e.targets import first_target

REAL = "real/default/web/main"
DEADLINE = 60.0
CUTS = 20
STORM = 100
ENOUGH = "300"
"""Sockets, tickets and sessions that one person may have here."""

NUMBERS = "stty -echo; echo ready; while read n; do seq -f 'number %06g of the output' 1 $n; done"
COPIES = 'stty -echo; echo ready; while read line; do echo "got $line"; done'


@pytest.fixture(scope="module")
def roomy(
    demo_cluster: RunningDemoCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHatchway]:
    """Hatchway on the demo cluster, with room for a hundred sockets of one person."""
    directory = tmp_path_factory.mktemp("hatchway-roomy")
    with running_hatchway(
        directory,
        demo_cluster.kubeconfig,
        HATCHWAY_SOCKETS_PER_PERSON=ENOUGH,
        HATCHWAY_TICKETS_PER_PERSON=ENOUGH,
        HATCHWAY_SESSIONS_PER_PERSON=ENOUGH,
    ) as running:
        yield running


@pytest.fixture(params=["demo", pytest.param("real", marks=pytest.mark.cluster)])
def place(request: pytest.FixtureRequest) -> tuple[RunningHatchway, str]:
    """A server and a target, on each cluster that there is."""
    if request.param == "real":
        return request.getfixturevalue("real"), REAL
    cluster = request.getfixturevalue("demo_cluster")
    target = first_target(cluster.kubeconfig, "demo", "shop")
    return request.getfixturevalue("roomy"), target


class Traveller:
    """One view on a line that breaks: it comes back as docs/protocol.md says, each time."""

    def __init__(self, hatchway: Hatchway, target: str, script: str, proxy: FaultProxy) -> None:
        self._hatchway = hatchway
        self._target = target
        self._script = script
        self._proxy = proxy
        self._socket: ClientConnection | None = None
        self.session = ""
        self.output = bytearray()
        self.typed = bytearray()
        self.confirmed = 0
        self.returns = 0

    async def until(self, ending: bytes) -> None:
        """Read until the output ends like this, coming back after each cut."""
        async with asyncio.timeout(DEADLINE):
            while not self.output.endswith(ending):
                try:
                    await self._read()
                except (ConnectionClosed, InvalidHandshake, OSError, EOFError):
                    self._socket = None

    async def types(self, data: bytes) -> None:
        """Type, whether there is a line or not."""
        start = len(self.typed)
        self.typed += data
        if self._socket is not None:
            try:
                await self._socket.send(struct.pack(">BQ", 0, start) + data)
            except ConnectionClosed:
                self._socket = None

    async def leave(self) -> None:
        """End the session."""
        self._proxy.cut()
        await asyncio.to_thread(self._hatchway.call, "POST", f"/api/sessions/{self.session}/end")

    async def _read(self) -> None:
        if self._socket is None:
            self._socket = await self._back()
        message = await self._socket.recv()
        if isinstance(message, bytes):
            kind, offset = struct.unpack_from(">BQ", message)
            assert kind == 1, "a screen came although everything is still kept"
            assert offset == len(self.output), "bytes were lost or doubled"
            self.output += message[9:]
            await self._socket.send(json.dumps({"type": "ack", "offset": len(self.output)}))
            return
        event = json.loads(message)
        assert event["type"] not in ("error", "ended", "resync"), event
        if event["type"] == "input":
            self.confirmed = event["input"]

    async def _back(self) -> ClientConnection:
        if self.session:
            self.returns += 1
            asked = {"session": self.session}
            ticket = await asyncio.to_thread(self._hatchway.call, "POST", "/api/tickets", asked)
        else:
            ticket = await asyncio.to_thread(
                ask,
                self._hatchway,
                self._target,
                shell="custom",
                command=["sh", "-c", self._script],
            )
        socket = await _connect(self._hatchway, ticket, self._proxy.port)
        offset = len(self.output) if self.session else None
        hello = {"type": "hello", "client": "traveller-1", "cols": 80, "rows": 24}
        await socket.send(json.dumps({**hello, "offset": offset}))
        welcome = json.loads(await socket.recv())
        assert (welcome["type"], welcome.get("role")) == ("welcome", "owner"), welcome
        assert self.confirmed <= welcome["input"] <= len(self.typed)
        self.session = welcome["session"]
        await _type_again(socket, self.typed, welcome["input"])
        return socket


async def _type_again(socket: ClientConnection, typed: bytearray, start: int) -> None:
    if start < len(typed):
        await socket.send(struct.pack(">BQ", 0, start) + typed[start:])


async def _connect(hatchway: Hatchway, ticket: dict[str, Any], port: int) -> ClientConnection:
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in hatchway.jar)
    return await connect(
        hatchway.origin.replace("http", "ws", 1) + ticket["path"],
        host="127.0.0.1",
        port=port,
        additional_headers={"Cookie": cookies, "Origin": hatchway.origin},
        subprotocols=[ticket["subprotocol"], "hatchway.ticket." + ticket["ticket"]],
        compression=None,
    )


@asynccontextmanager
async def travelling(
    place: tuple[RunningHatchway, str], script: str
) -> AsyncIterator[tuple[Traveller, FaultProxy]]:
    """Start a script in a container, behind a line that can be cut."""
    server, target = place
    hatchway = await asyncio.to_thread(sign_in, server)
    async with fault_proxy(server.port) as proxy:
        traveller = Traveller(hatchway, target, script, proxy)
        await traveller.until(b"ready\r\n")
        yield traveller, proxy
        await traveller.leave()


async def test_output_is_exact_across_cuts_in_the_middle_of_frames(
    place: tuple[RunningHatchway, str],
) -> None:
    chance = random.Random(20)
    truth = b"ready\r\n"
    async with travelling(place, NUMBERS) as (traveller, proxy):
        for turn in range(CUTS):
            proxy.slice_bytes = chance.choice([1, 7, 1000, 16384])
            proxy.cut_after(down=chance.randrange(1, 9000))
            count = chance.randrange(300, 600)
            truth += b"".join(b"number %06d of the output\r\n" % n for n in range(1, count + 1))
            await traveller.types(b"%d\r" % count)
            await traveller.until(b"%06d of the output\r\n" % count)
            assert traveller.output == truth, f"turn {turn}"
        assert traveller.returns >= CUTS


async def test_input_arrives_once_wherever_the_line_is_cut(
    place: tuple[RunningHatchway, str],
) -> None:
    chance = random.Random(21)
    truth = b"ready\r\n"
    async with travelling(place, COPIES) as (traveller, proxy):
        for turn in range(CUTS):
            lines = [b"%d-%d" % (turn, n) for n in range(1, chance.randrange(2, 9))]
            if turn % 2:
                # After the server has it, before the client knows.
                proxy.cut_after(down=chance.randrange(1, 12))
            else:
                proxy.cut_after(up=chance.randrange(1, 40))
            for line in lines:
                await traveller.types(line + b"\r")
            truth += b"".join(b"got " + line + b"\r\n" for line in lines)
            await traveller.until(b"got " + lines[-1] + b"\r\n")
            assert traveller.output == truth, f"turn {turn}"
        assert traveller.returns >= CUTS // 2


async def test_of_a_hundred_who_come_back_at_once_one_types(
    roomy: RunningHatchway, demo_cluster: RunningDemoCluster
) -> None:
    target = first_target(demo_cluster.kubeconfig, "demo", "shop")
    hatchway = await asyncio.to_thread(sign_in, roomy)
    ticket = await asyncio.to_thread(
        ask, hatchway, target, shell="custom", command=["sh", "-c", COPIES]
    )
    async with terminal(hatchway, ticket) as first:
        await first.hello()
        await first.sees(b"ready")
        tickets = [
            await asyncio.to_thread(
                hatchway.call, "POST", "/api/tickets", {"session": first.session}
            )
            for _ in range(STORM)
        ]
        everybody = asyncio.Barrier(STORM)
        known = asyncio.Barrier(STORM)
        owners: list[tuple[int, int]] = []
        confirmed: set[int] = set()

        async def come_back(number: int) -> bytes:
            async with terminal(hatchway, tickets[number]) as view:
                await everybody.wait()
                await view.hello(f"storming-{number:03}", 0)
                welcome = view.told("welcome")[0]
                assert (welcome["role"], welcome["input"]) == ("owner", 0)
                owners.append((welcome["epoch"], number))
                await view.types(b"from-%03d\r" % number)
                await known.wait()
                last = max(owners)[1]
                await view.until(
                    lambda: bool(view.told("role")) if number != last else bool(view.told("input"))
                )
                await view.sees(b"got from-%03d\r\n" % last)
                if view.told("input"):
                    confirmed.add(number)
                return bytes(view.output)

        async with asyncio.TaskGroup() as tasks:
            storm = [tasks.create_task(come_back(number)) for number in range(STORM)]
        last = max(owners)[1]
        outputs = {task.result() for task in storm}
        longest = max(outputs, key=len)
        assert len({epoch for epoch, _ in owners}) == STORM
        assert all(longest.startswith(output) for output in outputs)
        arrived = re.findall(rb"got from-(\d+)\r\n", longest)
        assert len(arrived) == len(set(arrived))
        assert longest.replace(b"ready\r\n", b"") == b"".join(
            b"got from-%s\r\n" % number for number in arrived
        )
        assert confirmed <= {int(number) for number in arrived}
        assert b"%03d" % last in arrived
        await asyncio.to_thread(hatchway.call, "POST", f"/api/sessions/{first.session}/end")


async def test_the_screen_is_exact_after_its_process_was_killed_again_and_again(
    roomy: RunningHatchway, demo_cluster: RunningDemoCluster
) -> None:
    target = first_target(demo_cluster.kubeconfig, "demo", "shop")
    hatchway = await asyncio.to_thread(sign_in, roomy)
    script = (
        "stty -echo; echo ready; while read n; do seq -f 'a long line number %.0f' 1 150000; "
        "printf '\\033[2J\\033[H'; seq -f 'kept %.0f' 1 20; printf 'turn-%s-over' $n; done"
    )
    ticket = await asyncio.to_thread(
        ask, hatchway, target, shell="custom", command=["sh", "-c", script]
    )
    async with terminal(hatchway, ticket) as first:
        await first.hello()
        await first.sees(b"ready")

        def _has_helper() -> bool:
            return bool(_screen_helpers(roomy.pid))

        for turn in range(1, 4):
            await first.types(b"%d\r" % turn)
            await first.until(_has_helper)
            for pid in _screen_helpers(roomy.pid):
                os.kill(pid, signal.SIGKILL)
            await first.sees(b"turn-%d-over" % turn)
            again = await asyncio.to_thread(
                hatchway.call, "POST", "/api/tickets", {"session": first.session}
            )
            async with terminal(hatchway, again) as view:
                await view.hello(f"reloaded-{turn}")
                await view.until(lambda: view.screens == 1)
                shown = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"\n", bytes(view.output)).split()
                wanted = b" ".join(b"kept %d" % n for n in range(1, 21))
                assert b"%s turn-%d-over" % (wanted, turn) in b" ".join(shown)
            await first.tells({"type": "take"})
            await first.until(
                lambda: sum(e.get("reason") == "taken" for e in first.told("role")) == turn  # noqa: B023
            )
        await first.tells({"type": "end"})
        assert await first.is_closed() == 1000


def _screen_helpers(server: int) -> list[int]:
    children = Path(f"/proc/{server}/task").glob("*/children")
    pids = [int(pid) for each in children for pid in each.read_text().split()]
    return [pid for pid in pids if b"terminal.screen" in Path(f"/proc/{pid}/cmdline").read_bytes()]
