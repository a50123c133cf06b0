/** A clock that a test turns by hand. */

import type { Clock } from "@/lib/clock";
import { toDisposable } from "@/lib/disposable";

interface Alarm {
  readonly at: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void) {
    const alarm = { at: this.#now + ms, action };
    this.#alarms.add(alarm);
    return toDisposable(() => this.#alarms.delete(alarm));
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Let time pass; alarms ring in their order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#alarms]
        .filter((alarm) => alarm.at <= end)
        .sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = end;
  }
}
