"""End what a session started in a container: processes outlive every closed exec stream.

A session's command is started with a random marker in its environment, which children inherit
even through nohup and setsid. A second exec looks through /proc for the marker and ends whatever
carries it: HUP, then TERM, then KILL, each with a little time to go by itself.

Out of reach are processes that dropped their environment (`env -i`, `su -`; the session scan
still finds those that kept the session) and those of another user than the container's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kube.exec import KubeExecBackend
from protocol.execution import ExecRequest, Exited, Refusal, StartFailed, Success
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target

END_SECONDS = 20.0
"""For the whole errand; its waits add up to about four seconds."""

_MARKER = re.compile(r"[A-Z][A-Z0-9_]{2,40}=[A-Za-z0-9_-]{16,64}")
_REPORT = re.compile(rb"hatchway found=(\d+) left=(\d+) hidden=(\d+) leader=(\d+)")
_SHELLS = ("sh", "/bin/sh", "/bin/bash", "/busybox/sh")

# POSIX sh that needs no other program than sleep, because a container may have no tr, grep or ps.
# Where grep reads past NUL bytes (GNU's does, BusyBox' may not) one grep searches everything.
# Otherwise `read` does it, which leaves NUL bytes out in ash, dash and bash, so that an
# environment is one line or a few. $1 is the marker, $2 a session id or nothing. Process 1 is
# never touched.
_SCRIPT = r"""
mark=$1 session=$2 seen=' ' count=0 leader=0
carries() {
  while read -r line || [ -n "$line" ]; do
    case $line in *"$mark"*) return 0;; esac
    line=
  done <"$1"
  return 1
}
if printf 'a\0b' | grep -qF b 2>/dev/null; then
  carriers() { grep -lF -- "$mark" /proc/[0-9]*/environ; }
else
  carriers() { for file in /proc/[0-9]*/environ; do carries "$file" && echo "$file"; done; }
fi
# Fields of stat behind the name: state, parent, group, session, terminal.
members() {
  [ -n "$session" ] || return
  for file in /proc/[0-9]*/stat; do
    read -r line <"$file" || continue
    set -- ${line##*) }
    [ "$1" != Z ] && [ "$4" = "$session" ] && echo "$file"
  done
}
# The session's first process leads a session of its own and holds its terminal.
leads() {
  read -r line <"/proc/$1/stat" || return 1
  set -- "$1" ${line##*) }
  [ "$5" = "$1" ] && [ "$6" != 0 ]
}
scan() {
  found=
  for file in $(carriers 2>/dev/null) $(members 2>/dev/null); do
    pid=${file#/proc/} pid=${pid%/*}
    [ "$pid" = 1 ] || [ "$pid" = $$ ] && continue
    case $seen in *" $pid "*) ;; *) seen="$seen$pid " count=$((count + 1));; esac
    case " $found " in *" $pid "*) ;; *) found="$found $pid";; esac
  done
}
are_gone() {
  for pid in $found; do
    read -r line <"/proc/$pid/stat" || continue
    set -- ${line##*) }
    [ "$1" = Z ] || return 1
  done
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }
scan
for pid in $found; do leads "$pid" 2>/dev/null && leader=1; done
for signal in HUP TERM KILL KILL; do
  [ -n "$found" ] || break
  kill -s $signal $found 2>/dev/null
  kill -s CONT $found 2>/dev/null
  for turn in 1 2 3 4 5 6 7 8 9 10; do
    nap
    are_gone 2>/dev/null && break
  done
  scan
done
hidden=0
for dir in /proc/[0-9]*; do
  { true <"$dir/environ"; } 2>/dev/null || [ ! -d "$dir" ] || hidden=$((hidden + 1))
done
set -- $found
echo "hatchway found=$count left=$# hidden=$hidden leader=$leader"
"""


@dataclass(frozen=True, slots=True)
class ProcessesEnded:
    """The container was searched."""

    found: int
    """Processes that carried the marker."""
    left: int
    """Those that survived even KILL (a process in the kernel, or of another user)."""
    hidden: int
    """Processes of other users, whose environment cannot be read."""
    leader: bool = False
    """Whether one of them led a session with a terminal: the shell itself, not a background job."""


@dataclass(frozen=True, slots=True)
class ContainerGone:
    """The container is not the one any more in which the session ran: nothing is left of it."""


@dataclass(frozen=True, slots=True)
class NotGuaranteed:
    """Processes may be left, because the container cannot be searched."""

    reason: str


EndReport = ProcessesEnded | ContainerGone | NotGuaranteed


class ProcessReaper:
    """Ends marked processes by way of the exec backend."""

    def __init__(self, backend: KubeExecBackend) -> None:
        self._backend = backend

    async def end_marked(
        self,
        target: Target,
        identity: Identity,
        marker: str,
        *,
        pod_uid: str,
        container_id: str = "",
        session_id: int | None = None,
    ) -> EndReport:
        """End every process in the container whose environment holds `marker`.

        `marker` is `NAME=value` with at least 16 random characters. `pod_uid` and
        `container_id` tell whether this is still the container of the session. `session_id` is
        the PID of the session's first process where it is known; whatever shares its session
        is ended too. Takes up to END_SECONDS. Raises StreamRefused when the cluster cannot be
        asked, so that the caller can try again later.
        """
        if not _MARKER.fullmatch(marker):
            raise ValueError("A marker is NAME=value with at least 16 random characters.")
        if not await self._is_same(target, identity, pod_uid, container_id):
            return ContainerGone()
        for shell in _SHELLS:
            command = (shell, "-c", _SCRIPT, shell, marker, str(session_id or ""))
            request = ExecRequest(target, identity, command, tty=False, stdin=False)
            try:
                output, result = await self._backend.run(request, seconds=END_SECONDS)
            except StreamRefused as error:
                if error.refused.kind in (
                    Refusal.CONTAINER_NOT_RUNNING,
                    Refusal.POD_NOT_FOUND,
                ):
                    return ContainerGone()
                raise
            report = _REPORT.search(output)
            if report is not None and isinstance(result, Success | Exited):
                found, left, hidden, leader = (int(number) for number in report.groups())
                return ProcessesEnded(found, left, hidden, bool(leader))
            if not isinstance(result, StartFailed):
                return NotGuaranteed("The search in the container did not come to its end.")
        return NotGuaranteed("The container has no shell to search with.")

    async def _is_same(
        self, target: Target, identity: Identity, pod_uid: str, container_id: str
    ) -> bool:
        try:
            facts = await self._backend.inspect(target, identity)
        except StreamRefused as error:
            if error.refused.kind in (Refusal.POD_NOT_FOUND, Refusal.CONTAINER_NOT_FOUND):
                return False
            raise
        same_container = not container_id or facts.container_id == container_id
        return facts.uid == pod_uid and same_container and facts.container_running
