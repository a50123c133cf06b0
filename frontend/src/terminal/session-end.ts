/** How a session looks when no further attempt follows. */

import type { ApiError } from "@/api";
import { isFields } from "@/protocol/fields";
import type { LinkState } from "@/transport/socket";
import type { Failure, Phase } from "./session-state";

export function failureOf({ code, message, data }: ApiError): Failure {
  return { code, message, data, closeCode: null };
}

/**
 * The phase after the link has closed for good. `said` is the server's last `error` message on
 * that socket, which explains a close code better than the code does.
 */
export function phaseAfter(
  { code, reason, error }: Extract<LinkState, { state: "closed" }>,
  said: Failure | null,
): Phase {
  if (error?.code === "ended") return endedPhase(error);
  if (error !== null) return { state: "failed", failure: failureOf(error) };
  return {
    state: "failed",
    failure: {
      code: said?.code ?? `close_${code ?? 0}`,
      message: said?.message ?? reason,
      data: said?.data ?? {},
      closeCode: code,
    },
  };
}

/** A ticket for a session that is over already. */
function endedPhase({ message, data }: ApiError): Phase {
  const { end_reason: reason, exit_code: exitCode, sentence } = data;
  return {
    state: "ended",
    reason: typeof reason === "string" ? reason : "failed",
    exitCode: typeof exitCode === "number" ? exitCode : null,
    // What the session ended with says more than "it has ended".
    message: typeof sentence === "string" && sentence !== "" ? sentence : message,
    // Why, as the session's own `ended` message had it.
    data: isFields(data.end_data) ? data.end_data : data,
  };
}
