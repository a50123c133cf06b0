"""Start the demo cluster and stay in the foreground: `python -m democluster --directory DIR`."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

from democluster import workloads
from democluster.auth import Authenticator, ensure_tokens
from democluster.certificates import ensure_certificates
from democluster.children import Children, kill_by_home, kill_descendants
from democluster.controllers import Controllers
from democluster.images import ImageStore
from democluster.kubeconfig import write_kubeconfigs
from democluster.kubelet import Kubelet
from democluster.server import HOST, ApiServer
from democluster.store import Store
from democluster.streams import StreamServer

WARNING = (
    "democluster: warning: whoever can read the kubeconfig files has a shell on this machine, "
    f"as user {os.getuid()}. The server listens on {HOST} only."
)


def main() -> int:
    """Run the program and return its exit code."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="democluster: %(levelname)s %(message)s")
    directory: Path = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"democluster: another one runs in {directory}", file=sys.stderr)
        return 1
    nodes = directory / "nodes"
    if left := kill_by_home(nodes, below=True):
        print(f"democluster: ended {left} processes of an earlier run", file=sys.stderr)
    shutil.rmtree(nodes, ignore_errors=True)
    print(WARNING, file=sys.stderr, flush=True)
    code = 0
    try:
        asyncio.run(_run(directory, options.port, options.kubeconfig))
    except* OSError as errors:
        code = 1
        for error in errors.exceptions:
            print(f"democluster: {error}", file=sys.stderr)
    finally:
        kill_descendants()
        shutil.rmtree(nodes, ignore_errors=True)
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="democluster", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, required=True, help="where certificates, tokens and nodes live"
    )
    parser.add_argument("--port", type=int, default=0, help="port on loopback (default: any)")
    parser.add_argument(
        "--kubeconfig", type=Path, help="where the kubeconfig goes (default: DIR/kubeconfig)"
    )
    return parser.parse_args()


async def _run(directory: Path, port: int, kubeconfig: Path | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(wanted, ended.set)
    children = Children()
    children.watch()
    certificates = ensure_certificates(directory)
    tokens = ensure_tokens(directory / "tokens.json")
    store = Store()
    images = ImageStore(directory / "images")
    kubelets: dict[str, Kubelet] = {}
    for number, name in enumerate(workloads.NODES, start=1):
        node_directory = directory / "nodes" / name
        workloads.fill_node(node_directory, name)
        kubelets[name] = Kubelet(name, number, store, children, images, node_directory)
    workloads.fill(store)
    async with asyncio.TaskGroup() as group:
        streams = StreamServer(store, kubelets, group)
        server = ApiServer(store, Authenticator(tokens, store), kubelets, streams)
        runner, listening = await server.start(certificates, port)
        tasks = [group.create_task(Controllers(store).run())]
        tasks += [group.create_task(kubelet.run()) for kubelet in kubelets.values()]
        path = (kubeconfig or directory / "kubeconfig").resolve()
        write_kubeconfigs(
            path,
            server=f"https://{HOST}:{listening}",
            authority=certificates.authority,
            tokens=tokens,
        )
        print(f"democluster ready: {path}", flush=True)
        await ended.wait()
        for task in tasks:
            task.cancel()
        kill_descendants()
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
