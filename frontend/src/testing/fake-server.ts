/** A server in memory that speaks `hatchway.tty.v1` as docs/protocol.md says, and can be cut off. */

import type { ApiError } from "@/api";
import { type Ticket, type TicketRequest } from "@/api";
import { toDisposable } from "@/lib/disposable";
import { Emitter } from "@/lib/emitter";
import type { Remembered, TabMemory } from "@/terminal/tab-memory";
import type { OpenSocket, Socket, SocketEvents } from "@/transport/socket";
import { ManualClock } from "./manual-clock";

type Message = Readonly<Record<string, unknown>>;

/** One accepted socket, from the server's side. */
export class FakeSocket {
  /** Control messages of the client, in order. */
  readonly received: Message[] = [];
  readonly inputFrames: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  isOpen = false;
  /** Swallow everything both ways without closing: a half-open connection. */
  isDead = false;

  constructor(
    readonly server: FakeServer,
    readonly subprotocols: readonly string[],
    private readonly events: SocketEvents,
  ) {}

  open(): void {
    this.isOpen = true;
    this.events.onOpen();
  }

  sendText(message: Message | string): void {
    if (!this.isOpen || this.isDead) return;
    this.events.onText(typeof message === "string" ? message : JSON.stringify(message));
  }

  sendBytes(kind: 1 | 2, offset: number, bytes: Uint8Array): void {
    if (!this.isOpen || this.isDead) return;
    const frame = new Uint8Array(9 + bytes.length);
    frame[0] = kind;
    new DataView(frame.buffer).setBigUint64(1, BigInt(offset));
    frame.set(bytes, 9);
    this.events.onBinary(frame.buffer);
  }

  close(code = 1006, reason = ""): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events.onClose(code, reason);
  }

  /** The client disposed it. */
  dropped(): void {
    this.isOpen = false;
  }

  receive(frame: string | Uint8Array<ArrayBuffer>): void {
    if (!this.isOpen || this.isDead) return;
    if (typeof frame === "string") {
      const message = JSON.parse(frame) as Message;
      this.received.push(message);
      this.server.handle(this, message);
      return;
    }
    const offset = Number(new DataView(frame.buffer).getBigUint64(1));
    const bytes = frame.slice(9);
    this.inputFrames.push({ offset, bytes });
    this.server.handleInput(this, offset, bytes);
  }

  ofType(type: string): Message[] {
    return this.received.filter((message) => message.type === type);
  }
}

export class FakeServer {
  readonly clock = new ManualClock();
  readonly sockets: FakeSocket[] = [];
  readonly tickets: TicketRequest[] = [];
  readonly ended: string[] = [];
  readonly promising = new Emitter<undefined>();
  readonly offline = new Emitter<undefined>();

  session = "8f14e45f-ceea-467f-9575-25ce1f9b0000";
  /** Everything the container has written. */
  output = new Uint8Array();
  /** What reached the container. */
  input = "";
  /** Changes the next welcomes. */
  welcome: Message = {};
  /** Refuses tickets while set. */
  refusal: ApiError | null = null;
  /** Sockets stay unopened while set. */
  isSlow = false;
  /** Confirms input by itself. */
  isConfirming = true;
  /** Sends output to a client that says hello. */
  isReplaying = true;
  /** Bytes of output per frame. */
  frameSize = 65_536;
  #inputOf = new Map<string, number>();
  #clientOf = new Map<FakeSocket, string>();

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("No socket was opened.");
    return socket;
  }

  readonly api = {
    ticket: (request: TicketRequest): Promise<Ticket> => {
      this.tickets.push(request);
      if (this.refusal !== null) return Promise.reject(this.refusal);
      return Promise.resolve({
        ticket: `ticket-${this.tickets.length}`,
        path: "/ws/tty",
        subprotocol: "hatchway.tty.v1",
        session: "session" in request ? request.session : null,
        expires_in: 30,
      });
    },
    endSession: (id: string): Promise<void> => {
      this.ended.push(id);
      return Promise.resolve();
    },
  };

  readonly openSocket: OpenSocket = (_path, subprotocols, events): Socket => {
    const socket = new FakeSocket(this, subprotocols, events);
    this.sockets.push(socket);
    if (!this.isSlow) {
      queueMicrotask(() => {
        socket.open();
      });
    }
    return {
      send: (frame) => {
        socket.receive(frame);
      },
      dispose: () => {
        socket.dropped();
      },
    };
  };

  /** What a session or a tree needs around it. */
  environment(memory: TabMemory = new FakeMemory()) {
    return {
      api: this.api,
      openSocket: this.openSocket,
      clock: this.clock,
      memory,
      random: () => 0.5,
      network: {
        isOnline: () => true,
        onPromising: this.promising.event,
        onOffline: this.offline.event,
      },
    };
  }

  /** The container writes; whoever is connected gets it. */
  write(bytes: Uint8Array): void {
    const offset = this.output.length;
    const grown = new Uint8Array(offset + bytes.length);
    grown.set(this.output);
    grown.set(bytes, offset);
    this.output = grown;
    for (const socket of this.sockets) {
      if (this.#clientOf.has(socket)) this.sendOutput(socket, offset);
    }
  }

  sendOutput(socket: FakeSocket, from: number, to = this.output.length): void {
    for (let at = from; at < to; at += this.frameSize) {
      socket.sendBytes(1, at, this.output.subarray(at, Math.min(to, at + this.frameSize)));
    }
  }

  handle(socket: FakeSocket, message: Message): void {
    if (message.type === "ping") socket.sendText({ type: "pong", t: message.t });
    if (message.type !== "hello") return;
    const client = String(message.client);
    this.#clientOf.set(socket, client);
    const from = typeof message.offset === "number" ? message.offset : 0;
    socket.sendText({
      type: "welcome",
      session: this.session,
      role: "owner",
      epoch: 1,
      input: this.#inputOf.get(client) ?? 0,
      offset: from,
      live: this.output.length,
      cols: message.cols,
      rows: message.rows,
      state: "live",
      kind: "exec",
      input_enabled: true,
      command: "auto",
      ...this.welcome,
    });
    if (this.isReplaying) this.sendOutput(socket, from);
  }

  handleInput(socket: FakeSocket, offset: number, bytes: Uint8Array): void {
    const client = this.#clientOf.get(socket) ?? "";
    const expected = this.#inputOf.get(client) ?? 0;
    if (offset > expected) throw new Error(`Input has a gap: ${offset} after ${expected}.`);
    const fresh = bytes.subarray(expected - offset);
    this.input += new TextDecoder().decode(fresh);
    this.#inputOf.set(client, expected + fresh.length);
    if (this.isConfirming) socket.sendText({ type: "input", input: expected + fresh.length });
  }
}

/** A tab's memory that a reload keeps. */
export class FakeMemory implements TabMemory {
  readonly remembered = new Map<string, Remembered>();
  readonly claimed = new Set<string>();

  load(slot: string): Remembered | null {
    return this.remembered.get(slot) ?? null;
  }

  save(slot: string, remembered: Remembered): void {
    this.remembered.set(slot, remembered);
  }

  forget(slot: string): void {
    this.remembered.delete(slot);
  }

  claim(client: string) {
    if (this.claimed.has(client)) return Promise.resolve(null);
    this.claimed.add(client);
    return Promise.resolve(toDisposable(() => this.claimed.delete(client)));
  }
}
