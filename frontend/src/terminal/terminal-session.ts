/** One terminal session seen from the browser: a state machine between the socket and the screen. */

import { ApiError, type Api, type Ticket } from "@/api";
import type { Clock } from "@/lib/clock";
import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import { adviceFor } from "@/protocol/close";
import { ProtocolError } from "@/protocol/fields";
import { InputLog } from "@/protocol/flow";
import {
  type ClientMessage,
  decodeBinary,
  decodeText,
  encodeInput,
  encodeMessage,
  MAX_PAYLOAD_BYTES,
  type ServerMessage,
  type Welcome,
} from "@/protocol/tty";
import { Link, type LinkEnvironment, type LinkState } from "@/transport/socket";
import { OutputTrack, type ScreenPort } from "./output-track";
import type { OpenRequest } from "./pane";
import { failureOf, phaseAfter } from "./session-end";
import { describeRequest, recall, ticketFor } from "./session-request";
import { type Failure, INITIAL_SNAPSHOT, type SessionSnapshot, type Size } from "./session-state";
import { createClientName, type TabMemory } from "./tab-memory";

/** Unconfirmed input that is kept; whoever types more without a connection has left the keyboard. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;

/** Output that does not fit to what came before, at most so often before the session is given up. */
const MAX_GAPS = 3;

export interface SessionEnvironment extends LinkEnvironment {
  readonly api: Pick<Api, "ticket" | "endSession">;
  readonly clock: Clock;
  readonly memory: TabMemory;
}

/**
 * Open, keep and resume one session. Create it, `start` it, watch `snapshot`, `dispose` it.
 *
 * Output: every byte reaches the screen once and in order, whatever is repeated or cut. Input:
 * every byte typed as the owner reaches the server once and in order, across reconnects.
 */
export class TerminalSession implements Disposable {
  readonly #store = new DisposableStore();
  readonly #link: Link;
  readonly #claim = this.#store.add(new MutableDisposable());
  readonly #snapshot = this.#store.add(new Observable<SessionSnapshot>(INITIAL_SNAPSHOT));
  readonly #input = new InputLog();
  readonly #output: OutputTrack;

  #client = createClientName();
  #session: string | null = null;
  /** What the next ticket is asked for. */
  #role: "owner" | "viewer";
  /** What the ticket of the present socket allows. */
  #ticketRole: "owner" | "viewer" = "owner";
  /** True between the server's welcome and the end of that socket. */
  #isWelcome = false;
  #sentSize: Size | null = null;
  #error: Failure | null = null;
  #gaps = 0;

  constructor(
    private readonly request: OpenRequest,
    private readonly slot: string,
    private size: Size,
    private readonly screen: ScreenPort,
    private readonly environment: SessionEnvironment,
  ) {
    this.#role = request.kind === "resume" ? request.role : "owner";
    this.#output = this.#store.add(
      new OutputTrack(screen, environment.clock, {
        sendAck: (offset) => {
          this.#send({ type: "ack", offset });
        },
        sizeChanged: (sessionSize) => {
          this.#sizeChanged(sessionSize);
        },
      }),
    );
    this.#link = this.#store.add(
      new Link(
        {
          requestTicket: () => this.#requestTicket(),
          onOpen: () => {
            this.#sayHello();
          },
          onText: (text) => {
            this.#guard(() => {
              const message = decodeText(text);
              if (message !== null) this.#receive(message);
            });
          },
          onBinary: (frame) => {
            this.#guard(() => {
              this.#receiveBytes(decodeBinary(frame));
            });
          },
        },
        environment,
      ),
    );
    this.#store.add(
      this.#link.state.onChange((state) => {
        this.#linkChanged(state);
      }),
    );
    this.#store.add(
      this.#link.roundTripMs.onChange((roundTripMs) => {
        this.#publish({ roundTripMs });
      }),
    );
  }

  get snapshot(): ReadonlyObservable<SessionSnapshot> {
    return this.#snapshot;
  }

  /** Connect; a tab that remembers its session comes back to it. */
  async start(): Promise<void> {
    const { request, slot, environment } = this;
    const remembered = recall(request, slot, environment.memory);
    if (remembered !== null) {
      this.#session = remembered.session;
      this.#client = remembered.client;
    }
    await this.#connect();
  }

  /** Answer the phase "duplicate": watch the other tab's session, take it over, or start anew. */
  resolveDuplicate(choice: "watch" | "take" | "fresh"): void {
    if (this.#snapshot.value.phase.state !== "duplicate") return;
    this.#client = createClientName();
    this.#role = choice === "watch" ? "viewer" : "owner";
    if (choice === "fresh" && this.request.kind !== "resume") this.#session = null;
    this.environment.memory.forget(this.slot);
    this.#publish({ phase: { state: "connecting" } });
    void this.#connect();
  }

  /** Send what the person typed; false when it is refused because input goes nowhere. */
  type(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { phase, role, isInputEnabled, kind } = this.#snapshot.value;
    const isOver = ["ended", "failed", "duplicate"].includes(phase.state);
    if (isOver || role === "viewer" || (kind === "attach" && !isInputEnabled)) return false;
    if (this.request.kind === "attach" && !isInputEnabled) return false;
    if (this.#input.pendingBytes + bytes.length > MAX_PENDING_BYTES) return false;
    this.#input.append(bytes);
    this.#flushInput();
    return true;
  }

  /** The view has another size; the latest one wins. */
  resize(size: Size): void {
    this.size = size;
    this.#flushSize();
  }

  /** Become the owner again. A socket whose ticket was for a viewer gives way to a new one. */
  take(): void {
    if (this.#isWelcome && this.#ticketRole === "owner") {
      this.#send({ type: "take" });
      return;
    }
    this.#role = "owner";
    this.#link.reconnect();
  }

  enableInput(): void {
    this.#send({ type: "enable_input" });
  }

  /** End the session for everybody; over the API when there is no socket. */
  end(): void {
    if (this.#isWelcome) this.#send({ type: "end" });
    else if (this.#session !== null) {
      this.environment.api.endSession(this.#session).catch((reason: unknown) => {
        if (reason instanceof ApiError) this.#notify(reason.code, { message: reason.message });
      });
    }
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  /** Forget the session, so that the next terminal of this slot is a new one. */
  forget(): void {
    this.environment.memory.forget(this.slot);
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** Claim this view's name, then open the link. */
  async #connect(): Promise<void> {
    const claim = await this.environment.memory.claim(this.#client);
    if (this.#store.isDisposed) {
      claim?.dispose();
      return;
    }
    if (claim === null) {
      this.#publish({ phase: { state: "duplicate" }, session: this.#session });
      return;
    }
    this.#claim.value = claim;
    this.#link.start();
  }

  async #requestTicket(): Promise<Ticket> {
    const ask = ticketFor(this.request, this.#session, this.#role);
    this.#ticketRole = this.#role;
    try {
      const ticket = await this.environment.api.ticket(ask);
      if (ticket.session !== null) this.#session = ticket.session;
      return ticket;
    } catch (reason) {
      // The session of a reloaded page is gone without a trace, and nothing of it is on the screen.
      const isUnknown = reason instanceof ApiError && reason.status === 404 && "session" in ask;
      if (isUnknown && this.#output.next === null && this.request.kind !== "resume") {
        this.environment.memory.forget(this.slot);
        this.#session = null;
        return this.#requestTicket();
      }
      throw reason;
    }
  }

  #linkChanged(state: LinkState): void {
    switch (state.state) {
      case "connecting": {
        const { phase } = this.#snapshot.value;
        if (phase.state !== "reconnecting") this.#publish({ phase: { state: "connecting" } });
        break;
      }
      case "open":
        break;
      case "waiting":
        this.#isWelcome = false;
        this.#publish({
          phase: {
            state: "reconnecting",
            attempt: state.attempt,
            retryAt: state.retryAt,
            failure: state.error === null ? this.#error : failureOf(state.error),
          },
        });
        break;
      case "closed":
        this.#isWelcome = false;
        this.#closed(state);
        break;
    }
  }

  #closed(state: Extract<LinkState, { state: "closed" }>): void {
    if (this.#snapshot.value.phase.state === "ended") return;
    // A person who signs in again comes back to the session; nobody else does.
    const isSignedOut = state.code !== null && adviceFor(state.code) === "sign-in";
    if (!isSignedOut && state.error?.status !== 401) this.forget();
    this.#publish({ phase: phaseAfter(state, this.#error) });
  }

  #sayHello(): void {
    this.#isWelcome = false;
    this.#error = null;
    this.#sentSize = this.size;
    this.#link.send(
      encodeMessage({
        type: "hello",
        client: this.#client,
        ...this.size,
        offset: this.#output.next,
      }),
    );
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome(message);
        break;
      case "input":
        this.#input.confirm(message.input);
        this.#flushInput();
        break;
      case "resync":
        this.#output.announce({
          offset: message.offset,
          skipped: message.skipped,
          size: { cols: message.cols, rows: message.rows },
        });
        this.#publish({ skip: { reason: message.reason, bytes: message.skipped } });
        break;
      case "state":
        if (message.state !== "ended") this.#publish({ phase: { state: message.state } });
        break;
      case "command":
        this.#publish({ command: message.command });
        break;
      case "size":
        this.#output.changeSize(message.offset, { cols: message.cols, rows: message.rows });
        break;
      case "role":
        this.#roleChanged(message);
        break;
      case "input_enabled":
        this.#publish({ isInputEnabled: true });
        this.#flushInput();
        break;
      case "people":
        this.#publish({ viewers: message.viewers });
        break;
      case "pong":
        this.#link.handlePong(message.t);
        break;
      case "notice":
        this.#notify(message.code, message.data);
        break;
      case "error":
        this.#error = {
          code: message.code,
          message: message.message,
          data: message.data,
          closeCode: null,
        };
        this.#notify(message.code, { ...message.data, message: message.message });
        break;
      case "ended": {
        const { reason, exitCode, message: sentence, data } = message;
        this.forget();
        this.#publish({ phase: { state: "ended", reason, exitCode, message: sentence, data } });
        this.#output.flushAck();
        this.#link.stop(1000);
        break;
      }
    }
  }

  #welcome(message: Welcome): void {
    const { session, role, epoch, kind, command, state } = message;
    this.#session = session;
    this.#isWelcome = true;
    if (role === "owner" && this.#claim.value !== undefined) {
      this.environment.memory.save(this.slot, {
        what: describeRequest(this.request),
        session,
        client: this.#client,
      });
    }
    this.#output.begin(message.offset, message.live);
    this.#input.resume(message.input);
    if (role === "viewer") this.#input.discard();
    const size = { cols: message.cols, rows: message.rows };
    this.#publish({
      session,
      role,
      epoch,
      kind,
      command,
      isReplaced: role === "viewer" && (this.#role === "owner" || this.#snapshot.value.isReplaced),
      isInputEnabled: message.inputEnabled,
      hasOutput: message.live > 0,
      size,
      ...(state === "ended" ? {} : { phase: { state } }),
    });
    if (role === "viewer") this.screen.resize(size);
    this.#flushSize();
    this.#flushInput();
  }

  #roleChanged(message: Extract<ServerMessage, { type: "role" }>): void {
    const { role, epoch, reason } = message;
    // After a lost socket it comes back as what it was: two tabs must not take turns for ever.
    this.#role = role;
    if (role === "owner") {
      this.#input.resume(message.input ?? 0);
      this.#sentSize = null;
    } else {
      // Typed for a screen that somebody else owns by now.
      this.#input.discard();
    }
    this.#publish({ role, epoch, isReplaced: role === "viewer" && reason === "replaced" });
    const { size } = this.#snapshot.value;
    if (role === "viewer" && size !== null) this.screen.resize(size);
    this.#flushSize();
    this.#flushInput();
  }

  #receiveBytes(frame: ReturnType<typeof decodeBinary>): void {
    if (!this.#isWelcome) throw new ProtocolError("The server sent bytes before its welcome.");
    if (this.#output.receive(frame)) {
      this.#publish({ hasOutput: true });
      return;
    }
    // Bytes are missing, which the server never does: ask again for what is needed.
    this.#gaps += 1;
    if (this.#gaps > MAX_GAPS) throw new ProtocolError("The server left out bytes of output.");
    this.#link.reconnect();
  }

  #sizeChanged(size: Size): void {
    this.#publish({ size });
    if (this.#snapshot.value.role === "viewer") this.screen.resize(size);
  }

  #flushInput(): void {
    const { role } = this.#snapshot.value;
    if (this.#isWelcome && role === "owner") {
      for (const piece of this.#input.take(MAX_PAYLOAD_BYTES)) {
        this.#link.send(encodeInput(piece.offset, piece.bytes));
      }
    }
    this.#publish({ pendingInputBytes: this.#input.pendingBytes });
  }

  #flushSize(): void {
    const { role } = this.#snapshot.value;
    const { cols, rows } = this.size;
    if (!this.#isWelcome || role !== "owner") return;
    if (this.#sentSize?.cols === cols && this.#sentSize.rows === rows) return;
    this.#sentSize = this.size;
    this.#send({ type: "resize", cols, rows });
    // The server tells sizes to viewers only.
    this.#publish({ size: this.size });
  }

  #send(message: ClientMessage): void {
    if (this.#isWelcome) this.#link.send(encodeMessage(message));
  }

  #notify(code: string, data: Readonly<Record<string, unknown>>): void {
    this.#publish({ notice: { code, data } });
  }

  /** Run what reads a frame; a frame that breaks the contract ends this client, not the session. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (reason) {
      if (!(reason instanceof ProtocolError)) throw reason;
      this.#error = { code: "bad_frame", message: reason.message, data: {}, closeCode: null };
      this.#link.stop(null, reason.message);
    }
  }

  #publish(change: Partial<SessionSnapshot>): void {
    const before = this.#snapshot.value;
    const keys = Object.keys(change) as (keyof SessionSnapshot)[];
    if (keys.every((key) => Object.is(before[key], change[key]))) return;
    this.#snapshot.value = { ...before, ...change };
  }
}
