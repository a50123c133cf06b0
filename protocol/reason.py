"""Why a person is refused something, or something ended: a code, its parameters, one sentence.

The sentence is English and for programs. A client that speaks other languages translates the code
(`reason.<code>` of the frontend's catalogues; a test finds those that are missing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from protocol.execution import Refusal


class ReasonCode(StrEnum):
    """What a client translates. The `cluster_…` ones are also codes of errors."""

    # Grants
    NO_ACCOUNT = "no_account"
    NO_GRANT = "no_grant"
    NO_ACTION = "no_action"
    GRANT_EXPIRED = "grant_expired"
    NO_SUCH_CLUSTER = "no_such_cluster"
    ONLY_OWNER_TYPES = "only_owner_types"
    ONLY_OWNER_CLOSES = "only_owner_closes"
    NO_TERMINATE = "no_terminate"
    # The cluster's own rules
    RBAC = "rbac"
    RBAC_EVERYWHERE = "rbac_everywhere"
    RBAC_ANYBODY = "rbac_anybody"
    CLUSTER_RULE = "cluster_rule"
    NO_NAMESPACES = "no_namespaces"
    WATCH_FAILED = "watch_failed"
    # The state of a container
    IS_DEBUG_CONTAINER = "is_debug_container"
    POD_NOT_RUNNING = "pod_not_running"
    CONTAINER_NOT_RUNNING = "container_not_running"
    CONTAINER_IN_STATE = "container_in_state"
    # Debug containers
    DEBUG_IMAGE = "debug_image"
    DEBUG_TOO_OLD = "debug_too_old"
    DEBUG_NOT_OFFERED = "debug_not_offered"
    DEBUG_ENDED = "debug_ended"
    DEBUG_NOT_STARTED = "debug_not_started"
    DEBUG_LATE = "debug_late"
    # Limits
    SESSIONS_LIMIT = "sessions_limit"
    SOCKETS_LIMIT = "sockets_limit"
    SERVER_FULL = "server_full"
    TICKETS_LIMIT = "tickets_limit"
    FAVOURITES_LIMIT = "favourites_limit"
    COMMAND_LIMIT = "command_limit"
    SIGN_IN_BUSY = "sign_in_busy"
    SIGN_IN_SLOWED = "sign_in_slowed"
    # Passwords
    OLD_PASSWORD_WRONG = "old_password_wrong"  # noqa: S105
    PASSWORD_TOO_SHORT = "password_too_short"  # noqa: S105
    PASSWORD_TOO_COMMON = "password_too_common"  # noqa: S105
    PASSWORD_ENTIRELY_NUMERIC = "password_entirely_numeric"  # noqa: S105
    PASSWORD_TOO_SIMILAR = "password_too_similar"  # noqa: S105
    # Sessions
    NO_SESSION = "no_session"
    SESSION_OVER = "session_over"
    SIGNED_OUT = "signed_out"
    DISABLED = "disabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    GRANT_GONE = "grant_gone"
    CLUSTER_RIGHTS_GONE = "cluster_rights_gone"
    POD_DELETED = "pod_deleted"
    POD_REPLACED = "pod_replaced"
    CONTAINER_RESTARTED = "container_restarted"
    CONTAINER_RESTARTED_AFTER = "container_restarted_after"
    MAIN_PROCESS_CLOSED = "main_process_closed"
    STREAM_LOST = "stream_lost"
    STREAM_LOST_RUNNING = "stream_lost_running"
    NOT_STARTED = "not_started"
    NOT_RECORDED = "not_recorded"
    # What a cluster answers, one for each Refusal
    UNAUTHORIZED = "cluster_unauthorized"
    FORBIDDEN = "cluster_forbidden"
    POD_NOT_FOUND = "cluster_pod_not_found"
    CONTAINER_NOT_FOUND = "cluster_container_not_found"
    REFUSED_NOT_RUNNING = "cluster_container_not_running"
    NOT_SCHEDULED = "cluster_not_scheduled"
    SUBPROTOCOL = "cluster_subprotocol"
    NODE_UNREACHABLE = "cluster_node_unreachable"
    CLUSTER_UNREACHABLE = "cluster_cluster_unreachable"
    UNKNOWN_CLUSTER = "cluster_unknown_cluster"
    REFUSED_OTHERWISE = "cluster_other"


_MISSING = "The cluster does not allow it: {verb} on {resource}"

SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.NO_ACCOUNT: "You may not {action} here. Nobody is signed in, or the account is "
    "disabled.",
    ReasonCode.NO_GRANT: "You may not {action} here. None of your grants covers this container.",
    ReasonCode.NO_ACTION: "You may not {action} here. Your grants for this container do not allow "
    "this.",
    ReasonCode.GRANT_EXPIRED: "You may not {action} here. Your grant for this has expired.",
    ReasonCode.NO_SUCH_CLUSTER: "There is no such cluster, or none of your grants is for it.",
    ReasonCode.ONLY_OWNER_TYPES: "Only its owner may type in a session.",
    ReasonCode.ONLY_OWNER_CLOSES: "Only its owner may close a session.",
    ReasonCode.NO_TERMINATE: "You may not terminate this session; ask for the action `terminate`.",
    ReasonCode.RBAC: _MISSING + " in namespace {namespace} is missing for {user}.",
    ReasonCode.RBAC_EVERYWHERE: _MISSING + " is missing for {user}.",
    ReasonCode.RBAC_ANYBODY: _MISSING + " is missing.",
    ReasonCode.CLUSTER_RULE: "The cluster does not allow it: {detail}",
    ReasonCode.NO_NAMESPACES: "There is no namespace in which you may list pods.",
    ReasonCode.WATCH_FAILED: "Hatchway failed while it watched this cluster; reload the page.",
    ReasonCode.IS_DEBUG_CONTAINER: "This is a debug container already.",
    ReasonCode.POD_NOT_RUNNING: "The pod is not running.",
    ReasonCode.CONTAINER_NOT_RUNNING: "The container is not running.",
    ReasonCode.CONTAINER_IN_STATE: "The container is not running ({word}).",
    ReasonCode.DEBUG_IMAGE: "A debug container may have one of the configured images only.",
    ReasonCode.DEBUG_TOO_OLD: "The cluster is too old for debug containers.",
    ReasonCode.DEBUG_NOT_OFFERED: "The cluster does not offer debug containers.",
    ReasonCode.DEBUG_ENDED: "The debug container ended at once (exit code {code}).",
    ReasonCode.DEBUG_NOT_STARTED: "The debug container cannot be started: {word}.",
    ReasonCode.DEBUG_LATE: "The debug container did not start within {seconds} s: {word}.",
    ReasonCode.SESSIONS_LIMIT: "You have {limit} open sessions, which is the limit; end one of "
    "them first.",
    ReasonCode.SOCKETS_LIMIT: "You have {limit} connections open, which is the limit. Close a tab.",
    ReasonCode.SERVER_FULL: "Hatchway serves as many connections as it may. Try again in a minute.",
    ReasonCode.TICKETS_LIMIT: "Too many connections are being opened. Try again in {seconds} "
    "seconds.",
    ReasonCode.FAVOURITES_LIMIT: "There may be {limit} favourites.",
    ReasonCode.COMMAND_LIMIT: "A command has at most 64 words and 8 KiB.",
    ReasonCode.SIGN_IN_BUSY: "Too many people sign in at once. Try again in a minute.",
    ReasonCode.SIGN_IN_SLOWED: "Too many wrong passwords. Try again in {seconds} seconds.",
    ReasonCode.OLD_PASSWORD_WRONG: "The old password is wrong.",
    ReasonCode.PASSWORD_TOO_SHORT: "The new password needs at least {min_length} characters.",
    ReasonCode.PASSWORD_TOO_COMMON: "The new password is one that many people use.",
    ReasonCode.PASSWORD_ENTIRELY_NUMERIC: "The new password has nothing but digits.",
    ReasonCode.PASSWORD_TOO_SIMILAR: "The new password is too much like your name or address.",
    ReasonCode.NO_SESSION: "There is no such session, or you may not see it.",
    ReasonCode.SESSION_OVER: "The session has ended.",
    ReasonCode.SIGNED_OUT: "The login session ended.",
    ReasonCode.DISABLED: "The account is disabled.",
    ReasonCode.PASSWORD_CHANGED: "The password was changed.",
    ReasonCode.GRANT_GONE: "The grant for this was taken away.",
    ReasonCode.CLUSTER_RIGHTS_GONE: "The cluster no longer allows this; ask whoever manages its "
    "roles.",
    ReasonCode.POD_DELETED: "The pod was deleted.",
    ReasonCode.POD_REPLACED: "The pod was replaced by a new one of the same name.",
    ReasonCode.CONTAINER_RESTARTED: "The container ended or was restarted.",
    ReasonCode.CONTAINER_RESTARTED_AFTER: "The container ended or was restarted ({word}).",
    ReasonCode.MAIN_PROCESS_CLOSED: "The main process closed its output.",
    ReasonCode.STREAM_LOST: "The connection to the cluster was lost; what was running was told to "
    "end.",
    ReasonCode.STREAM_LOST_RUNNING: "The connection to the container was lost; its shell was still "
    "running and has been ended.",
    ReasonCode.NOT_STARTED: "The container's runtime could not start it: {detail}",
    ReasonCode.NOT_RECORDED: "How the session ended could not be recorded.",
    ReasonCode.UNAUTHORIZED: "The cluster does not accept Hatchway's credentials; tell the "
    "administrator.",
    ReasonCode.FORBIDDEN: "The cluster does not allow this.",
    ReasonCode.POD_NOT_FOUND: "The pod does not exist (any more).",
    ReasonCode.CONTAINER_NOT_FOUND: "The pod has no container of that name.",
    ReasonCode.REFUSED_NOT_RUNNING: "The container is not running.",
    ReasonCode.NOT_SCHEDULED: "The pod waits for a node to run on; try again later.",
    ReasonCode.SUBPROTOCOL: "The cluster speaks neither v5 nor v4 of the exec protocol; it is too "
    "old.",
    ReasonCode.NODE_UNREACHABLE: "The node of the pod does not answer.",
    ReasonCode.CLUSTER_UNREACHABLE: "The cluster does not answer.",
    ReasonCode.UNKNOWN_CLUSTER: "There is no such cluster.",
    ReasonCode.REFUSED_OTHERWISE: "The cluster refused.",
}
"""English, with the parameters that a translation may name."""

SHARED_PARAMETERS = ("owner",)
"""Any reason may name whom to ask."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `str` of it is its English sentence."""

    code: ReasonCode
    data: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, code: ReasonCode, /, **data: str | int) -> Reason:
        """Return the reason with these parameters, which SENTENCES names."""
        return cls(code, data)

    @classmethod
    def of_refusal(cls, kind: Refusal) -> Reason:
        """Return what is known of a cluster's refusal from its kind alone."""
        return cls(ReasonCode(f"cluster_{kind.value}"))

    def __str__(self) -> str:
        owner = self.data.get("owner")
        ask = f" Ask {owner}." if owner else ""
        return SENTENCES[self.code].format_map(dict(self.data)) + ask

    def to_wire(self) -> dict[str, Any]:
        """Return it as JSON: docs/api.md, `because`."""
        return {"code": self.code.value, "data": dict(self.data)}
