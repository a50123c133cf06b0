"""One run of a container: its main process, its log, and who is attached."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from democluster.children import Children, kill_by_home
from democluster.images import Image
from democluster.logs import ContainerLog
from democluster.objects import JsonObject, now
from democluster.process import STDERR, STDOUT, Process, start_process

DRAIN_SECONDS = 2.0
"""How long the last output of a container is waited for after everything in it was killed."""

_STREAMS: Mapping[int, str] = {STDOUT: "stdout", STDERR: "stderr"}

Sink = Callable[[int, bytes], Awaitable[None]]
"""Takes output of a channel. While it waits, the container waits."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container runs: what its pod and node decide."""

    pod: str
    namespace: str
    node: str
    pod_ip: str
    node_directory: Path
    home: Path
    volumes: Mapping[str, str]
    """Names of hostPath volumes and the path of each on the node."""


class Container:
    """A container that was started. Made by `start`, ended by `run` returning."""

    def __init__(
        self, spec: JsonObject, image: Image, place: Place, log: ContainerLog, children: Children
    ) -> None:
        """Start the main process. Raises CommandNotStarted or OSError."""
        self.id = secrets.token_hex(32)
        self.name: str = spec["name"]
        self.log = log
        self.place = place
        self.tty = bool(spec.get("tty"))
        self._image = image
        self._children = children
        self._env = _environment(spec, image, place)
        self._attached: list[Sink] = []
        _make_home(place, spec)
        command, args = spec.get("command") or [], spec.get("args") or []
        argv = [*command, *args] or list(image.command)
        self._process = self._start(argv, tty=self.tty, stdin=bool(spec.get("stdin")))
        self.started_at = now()

    @property
    def is_running(self) -> bool:
        """Whether the main process runs."""
        return self._process.is_running

    async def run(self) -> int:
        """Carry the output to the log and to whoever is attached; return the exit code.

        When the main process ends, everything else in the container is killed, as the kernel
        does with a PID namespace. Cancellation kills the container too.
        """
        try:
            async with asyncio.TaskGroup() as group:
                pumps = [
                    group.create_task(self._carry(channel)) for channel in self._process.outputs
                ]
                try:
                    code = await self._process.wait()
                finally:
                    kill_by_home(self.place.home)
                # A process that hid its HOME may keep a pipe open; nobody waits for it for ever.
                await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
                for pump in pumps:
                    pump.cancel()
            return code
        finally:
            self._process.close()
            self.log.complete()
            for sink in list(self._attached):
                await sink(STDOUT, b"")

    def start_process(self, argv: list[str], *, tty: bool, stdin: bool) -> Process:
        """Start another process in the container. Raises CommandNotStarted or OSError."""
        return self._start(argv, tty=tty, stdin=stdin)

    def attach(self, sink: Sink) -> Callable[[], None]:
        """Give all further output to `sink` too, nothing at the end; return how to stop that."""
        self._attached.append(sink)

        def detach() -> None:
            if sink in self._attached:
                self._attached.remove(sink)

        return detach

    async def write(self, data: bytes) -> None:
        """Write to the main process. Raises BrokenPipeError when it no longer reads."""
        await self._process.write(data)

    def resize(self, cols: int, rows: int) -> None:
        """Tell the terminal of the main process its size."""
        self._process.resize(cols, rows)

    async def stop(self, grace_seconds: float) -> None:
        """Ask the main process to end; kill everything when the time is over."""
        self._process.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        self._process.signal(signal.SIGKILL)
        kill_by_home(self.place.home)

    async def _carry(self, channel: int) -> None:
        while data := await self._process.read(channel):
            self.log.write(_STREAMS[channel], data)
            for sink in list(self._attached):
                await sink(channel, data)

    def _start(self, argv: list[str], *, tty: bool, stdin: bool) -> Process:
        executable = self._image.resolve(argv, self._env["PATH"])
        env = self._env | ({"TERM": "xterm"} if tty and "TERM" not in self._env else {})
        return start_process(
            self._children,
            argv,
            executable=executable,
            env=env,
            cwd=self.place.home,
            tty=tty,
            stdin=stdin,
        )


def _environment(spec: JsonObject, image: Image, place: Place) -> dict[str, str]:
    fields = {
        "metadata.name": place.pod,
        "metadata.namespace": place.namespace,
        "spec.nodeName": place.node,
        "status.podIP": place.pod_ip,
    }
    env = {"PATH": image.path, "HOSTNAME": place.pod, "LANG": "C.UTF-8"}
    for item in spec.get("env") or []:
        reference = (item.get("valueFrom") or {}).get("fieldRef")
        env[item["name"]] = (
            fields.get(reference["fieldPath"], "") if reference else item.get("value", "")
        )
    # By HOME the processes of a container are found again, so it is not for the pod to choose.
    return env | {"HOME": str(place.home)}


def _make_home(place: Place, spec: JsonObject) -> None:
    shutil.rmtree(place.home, ignore_errors=True)
    place.home.mkdir(parents=True)
    prompt = f"""PROMPT_COMMAND='_w=${{PWD#"$HOME"}}'\nPS1='\\u@{place.pod}:${{_w:-/}}\\$ '\n"""
    (place.home / ".bashrc").write_text(prompt)
    for mount in spec.get("volumeMounts") or []:
        path = place.volumes.get(mount["name"])
        if path is not None:
            there = place.node_directory / path.lstrip("/")
            there.mkdir(parents=True, exist_ok=True)
            here = place.home / mount["mountPath"].lstrip("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(there)
