"""Run a demonstration in the foreground, or prepare what the tests need.

    deploy/demo/start demo [--kubeconfig PATH]     everything, until Ctrl-C
    deploy/demo/start dev [--kubeconfig PATH]      the same, reloading
    deploy/demo/start setup                        .venv with the development tools, built pages
    deploy/demo/start build                        built pages

HATCHWAY_PORT and HATCHWAY_DEMO_PASSWORD are read from the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.demo import install, machine, serve
from deploy.demo.children import Children, StopSignals
from deploy.demo.errors import StartError, Stopped
from deploy.demo.state import State

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str]) -> int:
    """Do what `arguments` say. Returns the exit code; Ctrl-C is a normal end."""
    parser = argparse.ArgumentParser(prog="deploy/demo/start")
    parser.add_argument("command", choices=["demo", "dev", "setup", "build"])
    parser.add_argument(
        "--kubeconfig", default="", help="paths of clusters to use instead of the demo cluster"
    )
    options = parser.parse_args(arguments)
    is_serving = options.command in {"demo", "dev"}
    signals = StopSignals()
    try:
        with signals.caught():
            if is_serving:
                present(signals, kubeconfig=options.kubeconfig, is_dev=options.command == "dev")
            else:
                prepare(signals, has_python=options.command == "setup")
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped:
        if is_serving:
            print("Hatchway has ended.")
            return 0
        return 130
    return 0


def prepare(signals: StopSignals, *, has_python: bool) -> None:
    """Make the built pages and, on request, the virtual environment with the dev lock."""
    machine.check_python()
    machine.check_node()
    logs = ROOT / ".cache" / "log"
    with Children(signals) as children:
        if has_python:
            install.prepare_python(children, ROOT, logs, "dev")
            install.prepare_node_modules(children, ROOT, logs)
        install.prepare_frontend(children, ROOT, logs)


def present(signals: StopSignals, *, kubeconfig: str, is_dev: bool) -> None:
    """Prepare and start everything, say where it is, and stay until something ends."""
    port = machine.read_port(os.environ)
    kubeconfigs = _existing(kubeconfig)
    machine.check_python()
    machine.check_node()
    machine.check_port(port)
    if is_dev:
        machine.check_port(serve.VITE_PORT)
    state = State(ROOT / ".demo")
    with state.held(), Children(signals) as children:
        password = state.password(os.environ)
        state.ensure_secret_key()
        python = install.prepare_python(children, ROOT, state.logs, "runtime")
        if is_dev:
            install.prepare_node_modules(children, ROOT, state.logs)
        else:
            install.prepare_frontend(children, ROOT, state.logs)
        clusters = kubeconfigs or serve.start_cluster(children, ROOT, state, python)
        environ = serve.web_environment(state, port, clusters, os.environ)
        serve.prepare_database(children, ROOT, state, python, environ)
        accounts = serve.prepare_accounts(children, ROOT, state, python, environ, password)
        if is_dev:
            environ["HATCHWAY_DEBUG"] = "true"
            environ["HATCHWAY_VITE_SERVER"] = serve.start_vite(children, ROOT)
        log = None if is_dev else state.logs / "web.log"
        serve.start_web(children, ROOT, python, environ, port=port, log=log, is_reloading=is_dev)
        print(f"\n{accounts}\n")
        if kubeconfigs:
            print("Everybody acts with the rights of that kubeconfig, as far as grants allow it:")
            print("admin works in every namespace, alice in shop and default, bob in platform.")
        else:
            print("Shells of the demo cluster run on this machine, as you. It listens on loopback.")
        print(f"Hatchway is ready: http://{machine.ADDRESS}:{port}/")
        print("Ctrl-C ends it." + (f" Its log: {log}" if log else ""), flush=True)
        while True:
            children.watch()


def _existing(kubeconfig: str) -> str:
    """Return the given kubeconfigs as HATCHWAY_KUBECONFIG wants them. Raises StartError."""
    paths = [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part]
    for path in paths:
        if not path.is_file():
            raise StartError(f"There is no kubeconfig {path}.")
    return ",".join(str(path.resolve()) for path in paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
