/** What a tab remembers of its terminals, so that a reloaded page comes back to the same session. */

import type { Disposable } from "@/lib/disposable";
import { toDisposable } from "@/lib/disposable";

const PREFIX = "hatchway.terminal.";

/** Long enough for a page that is being left to let go of its claim. */
const CLAIM_MS = 500;

export interface Remembered {
  /** What was opened, as `OpenRequest` in one word; another request starts something else. */
  readonly what: string;
  readonly session: string;
  readonly client: string;
}

export interface TabMemory {
  load(slot: string): Remembered | null;
  save(slot: string, remembered: Remembered): void;
  forget(slot: string): void;
  /**
   * Claim a client name for this page; null when another page holds it. That happens when a tab
   * was duplicated: the browser copies what the tab remembers.
   */
  claim(client: string): Promise<Disposable | null>;
}

/** Make the random name of one terminal view. */
export function createClientName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Memory in sessionStorage, claims through Web Locks. */
export const browserTabMemory: TabMemory = {
  load(slot) {
    try {
      return parse(sessionStorage.getItem(PREFIX + slot));
    } catch {
      // Storage is forbidden: nothing is remembered, and a reload starts a new session.
      return null;
    }
  },

  save(slot, remembered) {
    try {
      sessionStorage.setItem(PREFIX + slot, JSON.stringify(remembered));
    } catch {
      // See load.
    }
  },

  forget(slot) {
    try {
      sessionStorage.removeItem(PREFIX + slot);
    } catch {
      // See load.
    }
  },

  async claim(client) {
    // Web Locks exist in secure contexts only. Elsewhere a duplicated tab takes the session over,
    // and the first tab says so.
    const locks = (navigator as { locks?: LockManager }).locks;
    if (locks === undefined) return toDisposable(() => undefined);
    return new Promise((resolve) => {
      locks
        .request(
          `hatchway.client.${client}`,
          { signal: AbortSignal.timeout(CLAIM_MS) },
          () =>
            new Promise<void>((release) => {
              resolve(toDisposable(release));
            }),
        )
        .catch(() => {
          resolve(null);
        });
    });
  },
};

function parse(text: string | null): Remembered | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  if (typeof value !== "object" || value === null) return null;
  const { what, session, client } = value as Record<string, unknown>;
  if (typeof what !== "string" || typeof session !== "string" || typeof client !== "string") {
    return null;
  }
  return { what, session, client };
}
