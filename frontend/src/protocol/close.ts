/** Why a socket was closed, and what a client may do about it. docs/protocol.md is the contract. */

/** What to do after a socket closed with a code. */
export type CloseAdvice = "ended" | "reconnect" | "give-up" | "sign-in" | "reload";

const ADVICE: Readonly<Record<number, CloseAdvice>> = {
  1000: "ended",
  1001: "reconnect",
  1005: "reconnect",
  1006: "reconnect",
  1012: "reconnect",
  1013: "reconnect",
  4400: "give-up",
  4401: "sign-in",
  4403: "give-up",
  4404: "give-up",
  4406: "reload",
  4408: "reconnect",
  4409: "give-up",
  4410: "give-up",
  4413: "give-up",
  4426: "reload",
  4429: "give-up",
  4500: "reconnect",
  4502: "give-up",
  4503: "reconnect",
};

/** Say what to do after `code`. An unknown code below 4000 is the network's, and worth a try. */
export function adviceFor(code: number): CloseAdvice {
  return ADVICE[code] ?? (code < 4000 ? "reconnect" : "give-up");
}

/** True when a client reconnects by itself. */
export function mayReconnect(code: number): boolean {
  return adviceFor(code) === "reconnect";
}
