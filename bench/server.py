"""Hatchway under the bench: the product as `make demo` serves it, and a socket that counts.

    python -m bench.server PORT COUNTS

Each connection to the Unix socket COUNTS is answered with one JSON object: asyncio tasks, open
files, resident bytes of this process and of its children. The product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import sys
from contextlib import suppress

import psutil
import uvicorn


async def _serve(port: int, counts: str) -> None:
    config = uvicorn.Config(
        "config.asgi:application",
        host="127.0.0.1",
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=131072,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=15,
    )
    listener = await asyncio.start_unix_server(_answer, counts)
    async with listener:
        await uvicorn.Server(config).serve()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    gc.collect()
    with suppress(OSError, AttributeError):
        # What the C library keeps for later is no leak; not every C library has this.
        ctypes.CDLL(None).malloc_trim(0)
    me = psutil.Process()
    own = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not own]
    writer.write(
        json.dumps(
            {
                "tasks": len(tasks),
                "names": sorted(str(getattr(t.get_coro(), "__qualname__", t)) for t in tasks),
                "fds": me.num_fds(),
                "files": sorted(str(file) for file in me.net_connections(kind="inet")),
                "rss": [p.memory_info().rss for p in (me, *me.children(recursive=True))],
            }
        ).encode()
    )
    await writer.drain()
    writer.close()


def main() -> None:
    """Serve until SIGTERM, on uvloop as the command line of uvicorn does."""
    import uvloop

    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
