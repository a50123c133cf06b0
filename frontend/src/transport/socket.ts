/** One WebSocket that is kept open: ticket, socket, signs of life, reconnect. The only `new WebSocket`. */

import { ApiError, type Ticket } from "@/api";
import { Backoff, HEALTHY_MS } from "@/lib/backoff";
import type { Clock } from "@/lib/clock";
import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import { mayReconnect } from "@/protocol/close";
import type { Network } from "./browser";

/** Time from a pong to the next ping: three fit into the 15 seconds of docs/protocol.md. */
const PING_EVERY_MS = 5_000;

/** Nothing heard for so long although a ping was sent: the connection is half open. */
const SILENCE_MS = 10_000;

/** A handshake that takes longer than this is given up and tried again. */
const OPEN_MS = 15_000;

const TICKET_PREFIX = "hatchway.ticket.";

/** The close code of a socket that broke without one. */
export const ABNORMAL = 1006;

/** What this file needs of a WebSocket. */
export interface SocketEvents {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  readonly onBinary: (frame: ArrayBuffer) => void;
  /** Comes once, and is the last event. */
  readonly onClose: (code: number, reason: string) => void;
}

/** An open socket; disposing it closes it, and no event comes any more. */
export interface Socket extends Disposable {
  send(frame: string | Uint8Array<ArrayBuffer>): void;
}

export type OpenSocket = (
  path: string,
  subprotocols: readonly string[],
  events: SocketEvents,
) => Socket;

export type LinkState =
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "open" }
  | {
      readonly state: "waiting";
      readonly attempt: number;
      readonly retryAt: number;
      readonly error: ApiError | null;
    }
  /** No attempt follows: the server said no (`error`), or closed with a code that ends it. */
  | {
      readonly state: "closed";
      readonly code: number | null;
      readonly reason: string;
      readonly error: ApiError | null;
    };

/** Whoever speaks over the link. */
export interface LinkHost {
  /** Ask for a ticket; called for every attempt. */
  requestTicket(): Promise<Ticket>;
  /** The socket is open: say hello now, before anything else. */
  onOpen(): void;
  onText(text: string): void;
  onBinary(frame: ArrayBuffer): void;
}

export interface LinkEnvironment {
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly network: Network;
  readonly random?: () => number;
}

/** Keep a socket open until it is stopped, disposed or refused for good. */
export class Link implements Disposable {
  readonly #store = new DisposableStore();
  readonly #socket = this.#store.add(new MutableDisposable<Socket>());
  readonly #retry = this.#store.add(new MutableDisposable());
  readonly #health = this.#store.add(new MutableDisposable());
  readonly #ping = this.#store.add(new MutableDisposable());
  readonly #silence = this.#store.add(new MutableDisposable());
  readonly #state = this.#store.add(new Observable<LinkState>({ state: "connecting", attempt: 0 }));
  readonly #roundTrip = this.#store.add(new Observable<number | null>(null));
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  /** Counts attempts, so that a ticket that arrives late is not used. */
  #generation = 0;
  #heardAt = 0;
  #wasOpen = false;

  constructor(
    private readonly host: LinkHost,
    private readonly environment: LinkEnvironment,
  ) {
    this.#clock = environment.clock;
    this.#backoff = new Backoff(environment.random);
    this.#store.add(
      environment.network.onPromising(() => {
        this.retryNow();
        // The network may have changed under an open socket: find out now.
        if (this.#state.value.state === "open") this.#sendPing();
      }),
    );
    this.#store.add(
      environment.network.onOffline(() => {
        if (this.#state.value.state === "open") this.#lose(null);
      }),
    );
  }

  get state(): ReadonlyObservable<LinkState> {
    return this.#state;
  }

  /** Milliseconds from ping to pong; null until known. */
  get roundTripMs(): ReadonlyObservable<number | null> {
    return this.#roundTrip;
  }

  get isOpen(): boolean {
    return this.#state.value.state === "open";
  }

  /** Make the first attempt. */
  start(): void {
    void this.#attempt();
  }

  /** Send a frame; without an open socket it is dropped, and the next hello makes up for it. */
  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.isOpen) this.#socket.value?.send(frame);
  }

  /** Do not wait any longer, when waiting. */
  retryNow(): void {
    if (this.#state.value.state !== "waiting") return;
    this.#retry.clear();
    void this.#attempt();
  }

  /** Give up this socket, and connect again. */
  reconnect(): void {
    this.#lose(null);
  }

  /** The answer to a ping came. */
  handlePong(t: number): void {
    this.#roundTrip.value = Math.max(0, this.#clock.now() - t);
    // Set from the network's event and not from a timer: browsers slow down chains of timers in
    // hidden tabs to one a minute, which the server would take for silence.
    this.#silence.clear();
    this.#ping.value = this.#clock.after(PING_EVERY_MS, () => {
      this.#sendPing();
    });
  }

  /** Close for good. */
  stop(code: number | null = null, reason = "", error: ApiError | null = null): void {
    this.#drop();
    this.#state.value = { state: "closed", code, reason, error };
  }

  dispose(): void {
    this.#generation += 1;
    this.#store.dispose();
  }

  async #attempt(): Promise<void> {
    this.#drop();
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation && !this.#store.isDisposed;
    this.#state.value = { state: "connecting", attempt: this.#backoff.attempts };
    let ticket: Ticket;
    try {
      ticket = await this.host.requestTicket();
    } catch (reason) {
      if (!isCurrent()) return;
      const error =
        reason instanceof ApiError ? reason : new ApiError(0, "unexpected", String(reason));
      if (isWorthRetrying(error, this.#wasOpen)) this.#lose(error);
      else this.stop(null, "", error);
      return;
    }
    if (isCurrent()) this.#open(ticket);
  }

  #open(ticket: Ticket): void {
    const generation = this.#generation;
    const whenCurrent =
      <A extends unknown[]>(action: (...values: A) => void) =>
      (...values: A) => {
        if (generation === this.#generation && !this.#store.isDisposed) action(...values);
      };
    this.#silence.value = this.#clock.after(OPEN_MS, () => {
      this.#lose(null);
    });
    this.#socket.value = this.environment.openSocket(
      ticket.path,
      [ticket.subprotocol, TICKET_PREFIX + ticket.ticket],
      {
        onOpen: whenCurrent(() => {
          this.#opened();
        }),
        onText: whenCurrent((text: string) => {
          this.#heardAt = this.#clock.now();
          this.host.onText(text);
        }),
        onBinary: whenCurrent((frame: ArrayBuffer) => {
          this.#heardAt = this.#clock.now();
          this.host.onBinary(frame);
        }),
        onClose: whenCurrent((code: number, reason: string) => {
          if (mayReconnect(code)) this.#lose(null);
          else this.stop(code, reason);
        }),
      },
    );
  }

  #opened(): void {
    this.#wasOpen = true;
    this.#heardAt = this.#clock.now();
    this.#silence.clear();
    this.#health.value = this.#clock.after(HEALTHY_MS, () => {
      this.#backoff.reset();
    });
    this.#state.value = { state: "open" };
    this.host.onOpen();
    this.#sendPing();
  }

  #sendPing(): void {
    this.#ping.clear();
    const now = this.#clock.now();
    this.send(JSON.stringify({ type: "ping", t: now }));
    this.#watch(SILENCE_MS);
  }

  /** Give the connection up when nothing at all is heard. Output counts: a slow line delays the pong. */
  #watch(ms: number): void {
    const asked = this.#clock.now();
    this.#silence.value = this.#clock.after(ms, () => {
      const quiet = this.#clock.now() - Math.max(this.#heardAt, asked);
      if (this.#heardAt > asked && quiet < SILENCE_MS) this.#watch(SILENCE_MS - quiet);
      else this.#lose(null);
    });
  }

  /** Drop the socket, and try again after a while. */
  #lose(error: ApiError | null): void {
    this.#drop();
    const wait = this.#backoff.next();
    const attempt = this.#backoff.attempts;
    if (wait === 0) {
      // Not through a timer, which a hidden tab may delay by a minute.
      this.#state.value = { state: "waiting", attempt, retryAt: this.#clock.now(), error };
      void this.#attempt();
      return;
    }
    this.#retry.value = this.#clock.after(wait, () => {
      void this.#attempt();
    });
    this.#state.value = { state: "waiting", attempt, retryAt: this.#clock.now() + wait, error };
  }

  #drop(): void {
    this.#generation += 1;
    this.#retry.clear();
    this.#health.clear();
    this.#ping.clear();
    this.#silence.clear();
    this.#socket.clear();
    this.#roundTrip.value = null;
  }
}

/** A refusal is final; no answer, or a server that is not ready, is not. */
function isWorthRetrying(error: ApiError, isReconnect: boolean): boolean {
  if (error.status === 0) return error.code === "network";
  if (error.status === 429) return isReconnect;
  return error.status >= 500 && !error.code.startsWith("cluster_");
}

/** Open a WebSocket of the page's own server. */
export const openBrowserSocket: OpenSocket = (path, subprotocols, events) => {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, [...subprotocols]);
  socket.binaryType = "arraybuffer";
  let isDisposed = false;
  socket.onopen = () => {
    if (!isDisposed) events.onOpen();
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (isDisposed) return;
    if (typeof data === "string") events.onText(data);
    else events.onBinary(data);
  };
  socket.onclose = ({ code, reason }) => {
    if (!isDisposed) events.onClose(code, reason);
  };
  return {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    dispose() {
      isDisposed = true;
      socket.close();
    },
  };
};
