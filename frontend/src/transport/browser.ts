/** The browser's clock and its knowledge of the network, behind ports. */

import type { Clock } from "@/lib/clock";
import { type Disposable, DisposableStore, toDisposable } from "@/lib/disposable";
import type { Event } from "@/lib/emitter";

export const browserClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return toDisposable(() => {
      clearTimeout(timer);
    });
  },
};

/** Moments at which an attempt to connect is worth more than at others. */
export interface Network {
  /** False when the machine is certainly offline. */
  readonly isOnline: () => boolean;
  /** The machine came online, or the page became visible. */
  readonly onPromising: Event<void>;
  /** The machine went offline. */
  readonly onOffline: Event<void>;
}

export const browserNetwork: Network = {
  isOnline: () => navigator.onLine,
  onPromising: (listener) => {
    const store = new DisposableStore();
    store.add(listen(window, "online", listener));
    store.add(
      listen(document, "visibilitychange", () => {
        if (document.visibilityState === "visible") listener();
      }),
    );
    return store;
  },
  onOffline: (listener) => listen(window, "offline", listener),
};

/** Listen to a DOM event until disposed. */
export function listen(target: EventTarget, type: string, listener: () => void): Disposable {
  const handle = () => {
    listener();
  };
  target.addEventListener(type, handle);
  return toDisposable(() => {
    target.removeEventListener(type, handle);
  });
}
