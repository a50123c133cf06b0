/** What a terminal session looks like from outside: immutable, published on every change. */

import type { ErrorData, SessionKind } from "@/api";

export type Role = "owner" | "viewer";

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

export type EndReason =
  | "exited"
  | "closed_by_owner"
  | "terminated"
  | "idle"
  | "expired"
  | "revoked"
  | "target_gone"
  | "lost"
  | "detached"
  | "start_failed"
  | "refused"
  | "server_drain"
  | "server_lost"
  | "failed";

/** Why nothing more will come although the session itself may go on. */
export interface Failure {
  /** A code of docs/api.md or of an `error` message, else `close_<number>`, `network`. */
  readonly code: string;
  readonly message: string;
  readonly data: ErrorData;
  /** The socket's close code, when it was the socket that ended it. */
  readonly closeCode: number | null;
}

export type Phase =
  | { readonly state: "connecting" }
  | { readonly state: "starting" }
  | { readonly state: "live" }
  | {
      readonly state: "reconnecting";
      /** 1 for the first attempt after the loss. */
      readonly attempt: number;
      /** When the next attempt starts, on the clock of Date.now(); in the past while it runs. */
      readonly retryAt: number;
      /** Why there is no connection, when the server said so. */
      readonly failure: Failure | null;
    }
  | {
      readonly state: "ended";
      readonly reason: EndReason | (string & {});
      readonly exitCode: number | null;
      readonly message: string;
      readonly data: ErrorData;
    }
  | { readonly state: "failed"; readonly failure: Failure }
  /** The tab was duplicated; `confirmDuplicate` decides (see TerminalSession). */
  | { readonly state: "duplicate" };

/** Something to show that is not an error, e.g. `idle_soon` with `seconds`. */
export interface Notice {
  readonly code: string;
  readonly data: ErrorData;
}

/** The last time output was skipped. */
export interface Skip {
  readonly reason: string;
  readonly bytes: number;
}

export interface SessionSnapshot {
  readonly phase: Phase;
  /** The session's id, once the server has given one. */
  readonly session: string | null;
  readonly kind: SessionKind | null;
  /** What runs: "bash", "sh", a command's first word; "auto" until its shell is known. */
  readonly command: string | null;
  readonly role: Role | null;
  /** The person may own the session and is only a viewer because a newer tab took over. */
  readonly isReplaced: boolean;
  readonly epoch: number;
  /** False for an attach until the person has confirmed. */
  readonly isInputEnabled: boolean;
  /** The size of the session, which a viewer's terminal takes. */
  readonly size: Size | null;
  /** How many others watch. */
  readonly viewers: number;
  readonly roundTripMs: number | null;
  /** Input that was typed and has not reached the container yet. */
  readonly pendingInputBytes: number;
  /** Whether the session has printed anything at all. */
  readonly hasOutput: boolean;
  readonly skip: Skip | null;
  readonly notice: Notice | null;
}

export const INITIAL_SNAPSHOT: SessionSnapshot = {
  phase: { state: "connecting" },
  session: null,
  kind: null,
  command: null,
  role: null,
  isReplaced: false,
  epoch: 0,
  isInputEnabled: false,
  size: null,
  viewers: 0,
  roundTripMs: null,
  pendingInputBytes: 0,
  hasOutput: false,
  skip: null,
  notice: null,
};
