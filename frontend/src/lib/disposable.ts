/** Ownership as a type: whoever opens something holds it in a store and closes the store. */

export interface Disposable {
  /** Release what is held. A second call does nothing. */
  dispose(): void;
}

/** Make a Disposable of a function; the function runs once at most. */
export function toDisposable(release: () => void): Disposable {
  let isDisposed = false;
  return {
    dispose() {
      if (isDisposed) return;
      isDisposed = true;
      release();
    },
  };
}

/** Hold many things and dispose them together, the newest first. */
export class DisposableStore implements Disposable {
  readonly #held = new Set<Disposable>();
  #isDisposed = false;

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Hold `item` and return it. A store that is already disposed disposes it at once. */
  add<T extends Disposable>(item: T): T {
    if (this.#isDisposed) item.dispose();
    else this.#held.add(item);
    return item;
  }

  /** Hold a function that runs when the store is disposed. */
  onDispose(release: () => void): Disposable {
    return this.add(toDisposable(release));
  }

  /** Dispose everything held; every item gets its turn, then the first error is thrown. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const errors: unknown[] = [];
    for (const item of [...this.#held].reverse()) {
      try {
        item.dispose();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#held.clear();
    if (errors.length > 0) throw errors[0];
  }
}

/** Hold one thing at a time; replacing it disposes the old one. */
export class MutableDisposable<T extends Disposable> implements Disposable {
  #value: T | undefined;
  #isDisposed = false;

  get value(): T | undefined {
    return this.#value;
  }

  set value(next: T | undefined) {
    const old = this.#value;
    if (old === next) return;
    this.#value = undefined;
    old?.dispose();
    if (this.#isDisposed) next?.dispose();
    else this.#value = next;
  }

  /** Dispose what is held and hold nothing. */
  clear(): void {
    this.value = undefined;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.value = undefined;
  }
}
