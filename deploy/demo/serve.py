"""The programs of a demonstration: accounts, demo cluster, web server, Vite."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.demo.children import Children
from deploy.demo.errors import StartError
from deploy.demo.install import step
from deploy.demo.machine import ADDRESS
from deploy.demo.stamp import Stamp, fingerprint
from deploy.demo.state import State

START_SECONDS = 60.0
"""How long a program may take until it answers, on a busy machine."""
HEALTH_SECONDS = 5.0
"""How long one question for its health may take."""
VITE_PORT = 5173
"""As in frontend/vite.config.ts."""

UVICORN_FLAGS = (
    *("--host", ADDRESS),
    *("--ws", "websockets-sansio"),  # the implementation with write back-pressure
    *("--ws-max-size", "131072"),  # docs/protocol.md
    *("--ws-per-message-deflate", "false"),  # no decompression bombs
    *("--ws-ping-interval", "20", "--ws-ping-timeout", "20"),
    *("--lifespan", "on"),
    *("--timeout-graceful-shutdown", "10"),
    "--no-server-header",
    "--no-access-log",
    "--no-proxy-headers",  # Hatchway reads them itself, from trusted proxies alone
)

CLUSTER_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER")
"""What the demo cluster is told. Its containers inherit it, so no secret may be in it."""


def web_environment(
    state: State, port: int, kubeconfig: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of the web server and of manage.py.

    A secret key, database or Redis of another installation in `environ` is not used.
    """
    dropped = {"HATCHWAY_SECRET_KEY", "DATABASE_URL_FILE", "HATCHWAY_REDIS_URL", "KUBECONFIG"}
    return {name: value for name, value in environ.items() if name not in dropped} | {
        "DATABASE_URL": f"sqlite:///{state.database}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "HATCHWAY_DEMO": "true",
        "HATCHWAY_KUBECONFIG": kubeconfig,
        "HATCHWAY_PORT": str(port),
        "HATCHWAY_SECRET_KEY_FILE": str(state.secret_key),
        "PYTHONUNBUFFERED": "1",
    }


def prepare_database(
    children: Children, root: Path, state: State, python: Path, environ: Mapping[str, str]
) -> None:
    """Bring the tables up to date."""
    stamp = Stamp(state.folder / "migrated", state.database)
    sources = fingerprint(
        [*sorted(root.glob("*/migrations")), root / "requirements" / "runtime.txt"]
    )
    if stamp.matches(sources):
        return
    stamp.clear()
    with step("Preparing the database"):
        children.run(
            "manage.py migrate",
            [python, root / "manage.py", "migrate", "--no-input"],
            cwd=root,
            environ=environ,
            log=state.logs / "migrate.log",
        )
    stamp.write(sources)


def prepare_accounts(
    children: Children,
    root: Path,
    state: State,
    python: Path,
    environ: Mapping[str, str],
    password: str,
) -> str:
    """Make the demo accounts with `password`. Returns what is to be said about them."""
    stamp = Stamp(state.folder / "made", state.accounts)
    command = root / "access" / "management" / "commands" / "makedemo.py"
    # The password is kept as a digest here: .demo/password is the one place that has it.
    digest = hashlib.scrypt(password.encode(), salt=b"makedemo", n=2**12, r=8, p=1).hex()
    sources = fingerprint([command], extra=f"{digest} {state.database.stat().st_ino}")
    if not stamp.matches(sources):
        stamp.clear()
        with step("Making the accounts"):
            children.run(
                "manage.py makedemo",
                [python, root / "manage.py", "makedemo"],
                cwd=root,
                environ={**environ, "HATCHWAY_DEMO_PASSWORD": password},
                log=state.accounts,
            )
        stamp.write(sources)
    said = state.accounts.read_text("utf-8").splitlines()
    # It speaks of the variable; a person wants to see the word.
    names = [line for line in said if "HATCHWAY_DEMO_PASSWORD" not in line]
    return "\n".join([*names, f"Password of all of them: {password}"])


def start_cluster(children: Children, root: Path, state: State, python: Path) -> str:
    """Start the demo cluster and wait until it listens. Returns its kubeconfig's path."""
    log = state.logs / "cluster.log"
    children.start(
        "The demo cluster",
        [python, "-m", "democluster", "--directory", state.cluster],
        cwd=root,
        environ={
            "PYTHONUNBUFFERED": "1",
            **{name: os.environ[name] for name in CLUSTER_ENVIRONMENT if name in os.environ},
        },
        log=log,
    )
    ready = re.compile(r"^democluster ready: (.+)$", re.MULTILINE)
    _wait(children, lambda: ready.search(log.read_text("utf-8")) is not None, "The demo cluster")
    found = ready.search(log.read_text("utf-8"))
    assert found is not None
    return found[1].strip()


def start_web(
    children: Children,
    root: Path,
    python: Path,
    environ: Mapping[str, str],
    *,
    port: int,
    log: Path | None,
    is_reloading: bool = False,
) -> None:
    """Start the web server and wait until it is healthy."""
    reload = ["--reload"] if is_reloading else []
    for package in ("access", "config", "kube", "protocol", "targets", "terminal"):
        reload += ["--reload-dir", package] if is_reloading else []
    children.start(
        "The web server",
        [
            *(python, "-m", "uvicorn", "config.asgi:application"),
            *("--port", str(port), *UVICORN_FLAGS, *reload),
        ],
        cwd=root,
        environ=environ,
        log=log,
    )
    _wait(children, lambda: _is_healthy(port, "/healthz"), "The web server")


def start_vite(children: Children, root: Path) -> str:
    """Start Vite's development server. Returns its address."""
    frontend = root / "frontend"
    children.start("Vite", [frontend / "node_modules" / ".bin" / "vite"], cwd=frontend)
    _wait(children, lambda: _is_healthy(VITE_PORT, "/static/dist/@vite/client"), "Vite")
    return f"http://{ADDRESS}:{VITE_PORT}"


def _wait(children: Children, is_ready: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        children.watch()
        if time.monotonic() > deadline:
            raise StartError(f"{name} did not answer within {START_SECONDS:.0f} seconds.")


def _is_healthy(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
