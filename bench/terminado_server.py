"""A terminado server as somebody would build one: each socket gets a terminal of its own.

    python -m bench.terminado_server PORT COMMAND…

It ends with SIGTERM, and its terminals with it.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import tornado.web
from terminado.management import UniqueTermManager
from terminado.websocket import TermSocket

PATH = "/websocket"


async def _serve(port: int, command: list[str]) -> None:
    manager = UniqueTermManager(shell_command=command)
    application = tornado.web.Application([(PATH, TermSocket, {"term_manager": manager})])
    server = application.listen(port, "127.0.0.1")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    server.stop()
    await manager.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2:]))
