/** The phase of a session as a tone and a word of the catalogue. */

import type { SessionSnapshot } from "@/terminal/session-state";

export type Tone = "ok" | "wait" | "bad" | "off";

/** Colour and shape of a session's state. */
export function phaseTone({ phase }: SessionSnapshot): Tone {
  switch (phase.state) {
    case "live":
      return "ok";
    case "connecting":
    case "starting":
    case "reconnecting":
    case "duplicate":
      return "wait";
    case "ended":
      return phase.reason === "exited" && (phase.exitCode ?? 0) === 0 ? "off" : "bad";
    case "failed":
      return "bad";
  }
}

/** Exit codes that mean more than a number: 128 + signal, and what shells say. */
const EXIT_WORDS: Readonly<Record<number, string>> = {
  126: "exit.126",
  127: "exit.127",
  130: "exit.130",
  137: "exit.137",
  139: "exit.139",
  143: "exit.143",
};

/** The catalogue's key for what an exit code means; null when it means nothing in particular. */
export function exitWord(code: number | null): string | null {
  return code === null ? null : (EXIT_WORDS[code] ?? null);
}
