/** The live tree over `hatchway.targets.v1`, published as immutable objects. */

import { Api, type ApiError } from "@/api";
import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import { ProtocolError } from "@/protocol/fields";
import { decodeText, encodeMessage } from "@/protocol/targets";
import { browserClock, browserNetwork } from "@/transport/browser";
import { Link, type LinkEnvironment, type LinkState, openBrowserSocket } from "@/transport/socket";
import type { PodNode, Tree } from "./tree";
import { TreeModel } from "./tree-model";

/** Messages that come close together make one new tree. */
const SETTLE_MS = 50;

export interface TreeEnvironment extends LinkEnvironment {
  readonly api: Pick<Api, "ticket">;
}

export type TreeConnection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "reconnecting"; readonly attempt: number; readonly retryAt: number }
  | {
      readonly state: "failed";
      readonly code: string;
      readonly message: string;
      readonly closeCode: number | null;
    };

const BROWSER = (): TreeEnvironment => ({
  api: new Api(),
  openSocket: openBrowserSocket,
  clock: browserClock,
  network: browserNetwork,
});

/** Watch clusters. Create it, `watch` some, read `tree`, `dispose` it. */
export class TreeClient implements Disposable {
  readonly #store = new DisposableStore();
  readonly #settle = this.#store.add(new MutableDisposable());
  readonly #model = new TreeModel();
  readonly #tree = this.#store.add(new Observable<Tree>(this.#model.build()));
  readonly #connection = this.#store.add(new Observable<TreeConnection>({ state: "connecting" }));
  readonly #link: Link;
  #clusters: readonly string[] = [];
  #isStarted = false;

  constructor(private readonly environment: TreeEnvironment = BROWSER()) {
    this.#link = this.#store.add(
      new Link(
        {
          requestTicket: () => environment.api.ticket({ stream: "targets" }),
          onOpen: () => {
            this.#sayHello();
          },
          onText: (text) => {
            this.#receive(text);
          },
          onBinary: () => {
            this.#link.stop(null, "The server sent bytes where only text is allowed.");
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
  }

  get tree(): ReadonlyObservable<Tree> {
    return this.#tree;
  }

  get connection(): ReadonlyObservable<TreeConnection> {
    return this.#connection;
  }

  /** Find a pod by its uid. */
  pod(cluster: string, uid: string): PodNode | undefined {
    return this.#model.pod(cluster, uid);
  }

  /** Watch exactly these clusters; connects at the first call. */
  watch(clusters: readonly string[]): void {
    this.#clusters = [...clusters];
    this.#model.setClusters(this.#clusters);
    this.#publish();
    if (this.#link.isOpen) this.#sayHello();
    else if (!this.#isStarted) {
      this.#isStarted = true;
      this.#link.start();
    }
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  dispose(): void {
    this.#store.dispose();
  }

  #sayHello(): void {
    this.#link.send(encodeMessage({ type: "hello", clusters: this.#clusters }));
  }

  #receive(text: string): void {
    try {
      const message = decodeText(text);
      switch (message?.type) {
        case undefined:
        case "error":
          break;
        case "pong":
          this.#link.handlePong(message.t);
          break;
        case "cluster":
        case "pods":
        case "gone":
          this.#model.apply(message);
          this.#publishSoon();
          break;
      }
    } catch (reason) {
      if (!(reason instanceof ProtocolError)) throw reason;
      this.#link.stop(null, reason.message);
    }
  }

  #linkChanged(state: LinkState): void {
    switch (state.state) {
      case "connecting":
        break;
      case "open":
        this.#connection.value = { state: "live" };
        break;
      case "waiting":
        this.#model.disconnected();
        this.#publish();
        this.#connection.value = {
          state: "reconnecting",
          attempt: state.attempt,
          retryAt: state.retryAt,
        };
        break;
      case "closed":
        this.#model.disconnected();
        this.#publish();
        this.#connection.value = failed(state.code, state.reason, state.error);
        break;
    }
  }

  #publishSoon(): void {
    this.#settle.value ??= this.environment.clock.after(SETTLE_MS, () => {
      this.#publish();
    });
  }

  #publish(): void {
    this.#settle.clear();
    this.#tree.value = this.#model.build();
  }
}

function failed(code: number | null, reason: string, error: ApiError | null): TreeConnection {
  return {
    state: "failed",
    code: error?.code ?? (code === null ? "bad_frame" : `close_${code}`),
    message: error?.message ?? reason,
    closeCode: code,
  };
}
