/** How long to wait before the next attempt to reconnect. */

/** Seconds before attempt 1, 2, 3, …; the last one repeats. */
const DELAYS_SECONDS = [0, 1, 2, 4, 8, 15] as const;

/** Spread, so that a thousand pages do not come back in the same instant. */
const JITTER = 0.2;

/** A connection that lived this long was healthy, and the next loss starts from the beginning. */
export const HEALTHY_MS = 1000;

/** Count attempts and name the waits between them. */
export class Backoff {
  #attempts = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /** Attempts since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds to wait before the next attempt; counts the attempt. */
  next(): number {
    const index = Math.min(this.#attempts, DELAYS_SECONDS.length - 1);
    this.#attempts += 1;
    const spread = 1 + JITTER * (2 * this.random() - 1);
    return Math.round((DELAYS_SECONDS[index] ?? 0) * 1000 * spread);
  }

  /** A connection was healthy: begin again. */
  reset(): void {
    this.#attempts = 0;
  }
}
