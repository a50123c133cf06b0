/** Time as a parameter, so that tests decide how it passes. */

import type { Disposable } from "./disposable";

export interface Clock {
  /** Milliseconds on the clock of Date.now(). */
  now(): number;
  /** Run `action` once after `ms`; disposing the answer prevents it. */
  after(ms: number, action: () => void): Disposable;
}
