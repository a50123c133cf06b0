"""Somebody else who floods: a load client in a process of its own, as a browser elsewhere is.

In the process that measures, it would make every key wait for the showing of the flood.
"""

from __future__ import annotations

import asyncio
import base64
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import uvloop

from bench.screen import PROMPT, Screen

READY_SECONDS = 60.0
END_SECONDS = 20.0


class WayIn(Protocol):
    """How to open a shell. It is pickled: the other process opens it."""

    def shell(self) -> AbstractAsyncContextManager[Screen]:
        """Open a shell with the bench's prompt; leaving ends it."""


class Flooder:
    """The other client, from here."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def start(self) -> None:
        """Run `yes`; return when it is seen there."""
        await self._tell("start")

    async def stop(self) -> int:
        """Press Ctrl-C; return, at the prompt, how many bytes were seen since `start`."""
        return int(await self._tell("stop"))

    async def opens(self, way: WayIn) -> None:
        """Have it open its shell."""
        await self._tell(base64.b64encode(pickle.dumps(way)).decode())

    async def _tell(self, words: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words.encode() + b"\n")
        async with asyncio.timeout(READY_SECONDS):
            answer = await self._process.stdout.readline()
        if not answer:
            raise ConnectionError("the client that floods has ended")
        return answer.decode()


@asynccontextmanager
async def flooder(way: WayIn) -> AsyncIterator[Flooder]:
    """Open a shell in a process of its own; leaving ends both."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name), stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    try:
        client = Flooder(process)
        await client.opens(way)
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _serve() -> None:
    """Be the other process: a way in, then `start` and `stop`, each answered with a line."""
    orders = asyncio.StreamReader(limit=1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    way: WayIn = pickle.loads(base64.b64decode(await orders.readline()))
    async with way.shell() as shell:
        print("open", flush=True)
        before = 0
        while order := (await orders.readline()).strip():
            shell.forget()
            if order == b"start":
                before = shell.received
                await shell.type(b"yes\r")
                await shell.until(b"y\r\ny\r\n")
                print("flooding", flush=True)
            else:
                await shell.type(b"\x03")
                await shell.until(PROMPT, READY_SECONDS)
                print(shell.received - before, flush=True)


if __name__ == "__main__":
    uvloop.run(_serve())
