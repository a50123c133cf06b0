/** What a person can do about a failure. */

import { adviceFor } from "@/protocol/close";
import type { Failure } from "@/terminal/session-state";

export type Advice = "reload" | "signIn" | "askSomebody" | "elsewhere" | "again";

/** Choose the next step; a key under `failure.` of the catalogue. */
export function adviceOf(failure: Failure | null): Advice {
  if (failure === null) return "again";
  if (failure.code === "signed_out") return "signIn";
  if (failure.code === "forbidden") return "askSomebody";
  if (/_not_found$|^not_found$|unknown_cluster$|gone$/.test(failure.code)) return "elsewhere";
  if (failure.closeCode === null) return "again";
  const advice = adviceFor(failure.closeCode);
  if (advice === "reload") return "reload";
  if (advice === "sign-in") return "signIn";
  if (failure.closeCode === 4403) return "askSomebody";
  return failure.closeCode === 4404 || failure.closeCode === 4410 ? "elsewhere" : "again";
}
