"""Deciding whether a session may be opened, before a ticket is given out."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from channels.db import database_sync_to_async

from access.actions import Action
from access.audit import EventTag, arecord
from access.errors import Forbidden, Invalid, TicketRefused
from access.identity import aidentity_of
from access.login import Login
from access.policy import Decision, Rights, rights_of
from access.tickets import MADE_PURPOSE, aconsume
from protocol.errors import PeerVisibleError
from protocol.execution import PodFacts
from protocol.identity import Identity
from protocol.reason import Reason, ReasonCode
from protocol.target import Target
from terminal import lifecycle
from terminal.session.launch import Launch, Shell
from terminal.session.spec import Kind
from terminal.wiring import Wiring

MAX_ARGUMENTS = 64
MAX_COMMAND_BYTES = 8 * 1024
MARKER_BYTES = 16


class NotRunning(PeerVisibleError):
    """The container does not run."""

    code = "cluster_container_not_running"

    @property
    def status(self) -> int:
        """409: the request is fine, the container's state is not."""
        return 409


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that was allowed. It travels in the ticket, as JSON, on the server's side only."""

    session_id: uuid.UUID
    target: Target
    kind: Kind
    launch: Launch | None
    marker: str
    pod: PodFacts
    grant: str
    identity: Identity
    is_input_enabled: bool = False
    """Attach: whether input reaches the main process without being confirmed first."""

    def to_payload(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "session_id": str(self.session_id),
            "target": str(self.target),
            "kind": self.kind.value,
            "shell": self.launch.shell.value if self.launch else None,
            "command": list(self.launch.command) if self.launch else [],
            "marker": self.marker,
            "pod": asdict(self.pod),
            "grant": self.grant,
            "identity": [self.identity.user, list(self.identity.groups)],
            "input": self.is_input_enabled,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Opening:
        """Read what `to_payload` wrote."""
        user, groups = payload["identity"]
        launch = (
            Launch(Shell(payload["shell"]), tuple(payload["command"])) if payload["shell"] else None
        )
        return cls(
            session_id=uuid.UUID(payload["session_id"]),
            target=Target.parse(payload["target"]),
            kind=Kind(payload["kind"]),
            launch=launch,
            marker=payload["marker"],
            pod=PodFacts(**payload["pod"]),
            grant=payload["grant"],
            identity=Identity(user, tuple(groups)),
            is_input_enabled=payload["input"],
        )


def launch_of(kind: Kind, shell: str | None, command: list[str] | None) -> Launch | None:
    """Return what to start, after checking it. Raises Invalid."""
    if kind is Kind.ATTACH:
        if shell is not None or command is not None:
            raise Invalid("Attaching takes neither a shell nor a command.")
        return None
    try:
        chosen = Shell(shell or Shell.AUTO)
    except ValueError:
        raise Invalid("The shell is auto, bash, sh or custom.", shell=shell) from None
    words = tuple(command or ())
    if (chosen is Shell.CUSTOM) != bool(words):
        raise Invalid("A command goes with the shell `custom`, and only with it.")
    size = sum(len(word.encode(errors="surrogatepass")) for word in words)
    if len(words) > MAX_ARGUMENTS or size > MAX_COMMAND_BYTES:
        raise Invalid(Reason(ReasonCode.COMMAND_LIMIT))
    if any("\0" in word for word in words) or (words and not words[0]):
        raise Invalid("A command has a name, and no NUL characters.")
    return Launch(chosen, words)


async def decide(
    login: Login, target: Target, kind: Kind, launch: Launch | None, wiring: Wiring
) -> Opening:
    """Return the opening, or raise the refusal (audited) as a PeerVisibleError.

    Grants are asked before the cluster, so that nobody learns what exists where they may nothing.
    """
    action = Action(kind.value)
    rights: Rights = await database_sync_to_async(rights_of)(login.user)
    if not (possible := rights.could(action, target)).allowed:
        raise await _refused(login, target, possible)
    identity: Identity = await aidentity_of(login.user)
    pod = await wiring.backend.inspect(target, identity)
    decision = rights.decide(action, target, pod.labels)
    if not decision.allowed:
        raise await _refused(login, target, decision)
    verdict = await wiring.rights.may(target, identity, action.value, fresh=True)
    if not verdict.allowed:
        await _note_refusal(login, target, decision, verdict.reason)
        raise Forbidden(
            verdict.because or verdict.reason,
            action=action.value,
            why="cluster_rights",
            detail=verdict.reason,
        )
    if not pod.container_running:
        stopped = (
            Reason.of(ReasonCode.CONTAINER_IN_STATE, word=pod.reason)
            if pod.reason
            else Reason(ReasonCode.CONTAINER_NOT_RUNNING)
        )
        raise NotRunning(stopped, reason=pod.reason, exit_code=pod.exit_code)
    # For a clear answer early: what counts is the look when the session is written down.
    await database_sync_to_async(lifecycle.check_room)(login.user_id, wiring.sessions_per_person)
    return Opening(
        session_id=uuid.uuid4(),
        target=target,
        kind=kind,
        launch=launch,
        marker=secrets.token_hex(MARKER_BYTES),
        pod=pod,
        grant=decision.grant_name,
        identity=identity,
    )


async def with_input(opening: Opening, login: Login, proof: str, *, origin: str) -> Opening:
    """Return an attach that may be typed in at once, if its person has just made the container.

    `proof` is what making it was answered with, good once and for that container alone. Any other
    proof changes nothing: the attach is read-only until input is confirmed, as every one is.
    """
    try:
        payload = await aconsume(
            proof,
            user_id=login.user_id,
            login_key=login.key,
            purpose=MADE_PURPOSE,
            origin=origin,
        )
    except TicketRefused as refused:
        await arecord(
            EventTag.TICKET_REFUSED, user=login.user, address=login.address, reason=refused.why
        )
        return opening
    return replace(opening, is_input_enabled=payload["target"] == str(opening.target))


async def _refused(login: Login, target: Target, decision: Decision) -> Forbidden:
    await _note_refusal(login, target, decision, "")
    return decision.refusal()


async def _note_refusal(login: Login, target: Target, decision: Decision, reason: str) -> None:
    await arecord(
        EventTag.ACCESS_REFUSED,
        user=login.user,
        address=login.address,
        target=target,
        decision=decision,
        reason=reason,
    )
