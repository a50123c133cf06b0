/** One-to-many notification, and a value that announces its changes. */

import { type Disposable, toDisposable } from "./disposable";

/** Subscribe to something; dispose the answer to stop listening. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** Send values to whoever listens at that moment. Listeners run in the order they came. */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<{ run: (value: T) => void }>();

  readonly event: Event<T> = (listener) => {
    const entry = { run: listener };
    this.#listeners.add(entry);
    return toDisposable(() => this.#listeners.delete(entry));
  };

  fire(value: T): void {
    for (const entry of [...this.#listeners]) {
      if (this.#listeners.has(entry)) entry.run(value);
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

/** A value that others may read and watch, but only its owner may set. */
export interface ReadonlyObservable<T> {
  readonly value: T;
  /** Hear of every change; not called for the present value. */
  readonly onChange: Event<T>;
}

/** An immutable value and its changes. Setting an identical value announces nothing. */
export class Observable<T> implements ReadonlyObservable<T>, Disposable {
  readonly #changes = new Emitter<T>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(next: T) {
    if (Object.is(next, this.#value)) return;
    this.#value = next;
    this.#changes.fire(next);
  }

  get onChange(): Event<T> {
    return this.#changes.event;
  }

  dispose(): void {
    this.#changes.dispose();
  }
}
