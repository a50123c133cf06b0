"""A project folder that looks like ours to the runner, with small stand-ins for its programs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 60.0
"""A virtual environment is made in the first start, on a busy machine."""

NPM = """#!/bin/sh
mkdir -p node_modules ../static/dist/.vite
[ "$1" = run ] && echo '{}' > ../static/dist/.vite/manifest.json
exit 0
"""
MANAGE = """
import os, pathlib, sys
database = pathlib.Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
if sys.argv[1] == "migrate":
    database.touch()
else:
    assert os.environ["HATCHWAY_DEMO_PASSWORD"]
    print("The password is that of HATCHWAY_DEMO_PASSWORD.")
    print("Demo accounts: alice.")
"""
# Its grandchild has the marker in its command line and outlives a polite end.
CLUSTER = """
import pathlib, signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import signal, time; "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", pathlib.Path.cwd()])
print("democluster ready:", pathlib.Path(sys.argv[2]) / "kubeconfig", flush=True)
signal.sigwait({signal.SIGTERM})
"""
WEB = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        if self.path == "/die":
            print("the last words", flush=True)
            os._exit(3)
    def log_message(self, *_): pass
if os.environ.get("HATCHWAY_TEST_BROKEN"):
    sys.exit("cannot work")
print(os.environ["HATCHWAY_KUBECONFIG"], flush=True)
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

REAL = (
    *("CHANGELOG.md", "Makefile", "access", "config", "democluster", "kube", "locale"),
    *("manage.py", "protocol", "targets", "templates", "terminal"),
)
"""What a demonstration on a cluster needs of the real project."""


class Run:
    """One start of the runner."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self._output.read_text("utf-8")

    def until_ready(self) -> str:
        """Return its address once it is ready."""
        wait_until(lambda: "Hatchway is ready" in self.text or self.process.poll() is not None)
        ready = re.search(r"Hatchway is ready: (http://\S+)", self.text)
        assert ready is not None, self.text
        return ready[1]

    def end(self) -> None:
        """End it whatever it does."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def interrupt(self) -> int:
        """End it as Ctrl-C does, which reaches the whole group. Returns its exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(WAIT_SECONDS)


class Project:
    """A folder with the real runner in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self._runs: list[Run] = []
        shutil.copytree(ROOT / "deploy" / "demo", folder / "deploy" / "demo")
        self.write("requirements/runtime.txt", "")
        self.write("requirements/dev.txt", "")
        self.write("frontend/package-lock.json", "{}")
        self.write("frontend/src/main.ts", "")
        self.write("access/migrations/0001_initial.py", "")
        self.write("access/management/commands/makedemo.py", "")
        self.write("manage.py", MANAGE)
        self.write("democluster/__main__.py", CLUSTER)
        self.write("uvicorn/__main__.py", WEB)
        self.write("programs/node", "#!/bin/sh\necho v20.19.0\n").chmod(0o755)
        self.write("programs/npm", NPM).chmod(0o755)

    def hold_the_real_programs(self) -> None:
        """Put Hatchway itself in the place of the stand-ins, with the packages of this Python."""
        for name in REAL:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            path.symlink_to(ROOT / name)
        shutil.rmtree(self.folder / "uvicorn")
        # Looks like a virtual environment of this Python, and is one in all that counts.
        self.write(".venv/pyvenv.cfg", f"version = {platform.python_version()}\n")
        python = self.write(".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)

    def write(self, name: str, text: str) -> Path:
        """Write one file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def start(self, *arguments: str, **environ: str) -> Run:
        """Start the runner."""
        return self.run([str(self.folder / "deploy" / "demo" / "start"), *arguments], **environ)

    def run(self, command: list[str], **environ: str) -> Run:
        """Start a command that leads to the runner."""
        output = self.folder / f"output-{time.monotonic_ns()}"
        with output.open("w") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                env={
                    "PATH": f"{self.programs}:/usr/bin:/bin",
                    "HOME": str(self.folder),
                    "PYTHON": sys.executable,
                    **environ,
                },
            )
        self._runs.append(Run(process, output))
        return self._runs[-1]

    def end_all(self) -> None:
        """End every start that still runs."""
        while self._runs:
            self._runs.pop().end()

    def processes(self) -> list[str]:
        """Return the command lines of processes that mention this folder or work in it."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                place = os.readlink(entry / "cwd")
            except OSError:
                continue
            if command and str(self.folder) in (command + place):
                found.append(command.replace("\0", " "))
        return found


def wait_until(condition: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> None:
    """Return when `condition` holds; fail when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
