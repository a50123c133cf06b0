/** Put a session and a view together. Import this file lazily: it brings xterm.js. */

import { Api } from "@/api";
import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { Observable } from "@/lib/emitter";
import { browserClock, browserNetwork } from "@/transport/browser";
import { openBrowserSocket } from "@/transport/socket";
import { applyModifiers, type Modifiers, touchKeyData, type TouchKey } from "./keymap";
import type { OpenRequest, PaneOptions, SearchOptions, TerminalPane } from "./pane";
import { encodePaste, planPaste } from "./paste";
import type { TerminalPreferences } from "./preferences";
import { INITIAL_SNAPSHOT, type SessionSnapshot } from "./session-state";
import { browserTabMemory } from "./tab-memory";
import { type SessionEnvironment, TerminalSession } from "./terminal-session";
import { XtermView } from "./xterm-view";

const NOTHING_HELD: Modifiers = { ctrl: false, alt: false };

/** The person has said in this page that pastes of several lines need no question. */
let isNeverAsked = false;

/** Make a terminal; nothing is opened before `mount`. */
export function openPane(options: PaneOptions): TerminalPane {
  return new Pane(options, {
    api: new Api(),
    openSocket: openBrowserSocket,
    clock: browserClock,
    network: browserNetwork,
    memory: browserTabMemory,
  });
}

class Pane implements TerminalPane {
  readonly #store = new DisposableStore();
  readonly #session = this.#store.add(
    new MutableDisposable<Disposable & { it: TerminalSession }>(),
  );
  readonly #view: XtermView;
  readonly snapshot = this.#store.add(new Observable<SessionSnapshot>(INITIAL_SNAPSHOT));
  readonly sticky = this.#store.add(new Observable<Modifiers>(NOTHING_HELD));
  #preferences: TerminalPreferences;

  constructor(
    private readonly options: PaneOptions,
    private readonly environment: SessionEnvironment,
  ) {
    const isMac = navigator.platform.startsWith("Mac");
    this.#view = this.#store.add(new XtermView(options.preferences, options.isDark, isMac));
    this.#preferences = options.preferences;
    this.#listen();
  }

  get title() {
    return this.#view.title;
  }

  get size() {
    return this.#view.size;
  }

  get searchResult() {
    return this.#view.searchResult;
  }

  get hasSelection() {
    return this.#view.hasSelection;
  }

  get onBell() {
    return (listener: () => void) => this.#view.onBell(listener);
  }

  mount(element: HTMLElement): void {
    this.#view.mount(element);
    this.#start(this.options.request);
  }

  fit(): void {
    this.#view.fit();
  }

  focus(): void {
    this.#view.focus();
  }

  blur(): void {
    this.#view.blur();
  }

  setPreferences(preferences: TerminalPreferences, isDark: boolean): void {
    this.#preferences = preferences;
    this.#view.setPreferences(preferences, isDark);
  }

  async copy(): Promise<boolean> {
    const text = this.#view.selection;
    if (text === "") return false;
    await navigator.clipboard.writeText(text);
    return true;
  }

  async paste(): Promise<void> {
    await this.#paste(await navigator.clipboard.readText());
  }

  selectAll(): void {
    this.#view.selectAll();
  }

  clearScrollback(): void {
    this.#view.clearScrollback();
  }

  findNext(text: string, options: SearchOptions = {}): void {
    this.#view.findNext(text, options);
  }

  findPrevious(text: string, options: SearchOptions = {}): void {
    this.#view.findPrevious(text, options);
  }

  clearSearch(): void {
    this.#view.clearSearch();
  }

  pressKey(key: TouchKey): void {
    const data = touchKeyData(key, this.sticky.value, this.#view.isApplicationCursor);
    this.sticky.value = NOTHING_HELD;
    this.#type(data);
    this.#view.focus();
  }

  setSticky(modifier: "ctrl" | "alt", isHeld: boolean): void {
    this.sticky.value = { ...this.sticky.value, [modifier]: isHeld };
    this.#view.focus();
  }

  retryNow(): void {
    this.#session.value?.it.retryNow();
  }

  take(): void {
    this.#session.value?.it.take();
  }

  enableInput(): void {
    this.#session.value?.it.enableInput();
  }

  end(): void {
    this.#session.value?.it.end();
  }

  resolveDuplicate(choice: "watch" | "take" | "fresh"): void {
    this.#session.value?.it.resolveDuplicate(choice);
  }

  restart(request: OpenRequest): void {
    this.#start(request);
    this.#view.focus();
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** Run a session on the screen; the one before is let go, and its output scrolls away. */
  #start(request: OpenRequest): void {
    const view = this.#view;
    if (this.#session.value !== undefined) {
      view.screen.resync(new Uint8Array(), view.size.value, "", () => undefined);
    }
    const session = new TerminalSession(
      request,
      this.options.slot,
      view.size.value,
      {
        write: (bytes, isReplay, onWritten) => {
          view.screen.write(bytes, isReplay, onWritten);
        },
        resize: (size) => {
          view.screen.resize(size);
        },
        resync: (bytes, size, skippedBytes, onWritten) => {
          const words = skippedBytes > 0 ? this.options.words.skipped(skippedBytes) : "";
          view.screen.resync(bytes, size, words === "" ? "" : `— ${words} —`, () => {
            onWritten();
            view.fit();
          });
        },
      },
      this.environment,
    );
    const store = new DisposableStore();
    store.add(session);
    store.add(
      session.snapshot.onChange((snapshot) => {
        view.setLetterboxed(snapshot.role === "viewer");
        this.snapshot.value = snapshot;
      }),
    );
    store.add(
      view.size.onChange((size) => {
        session.resize(size);
      }),
    );
    this.#session.value = {
      it: session,
      dispose() {
        store.dispose();
      },
    };
    this.snapshot.value = session.snapshot.value;
    void session.start();
  }

  #listen(): void {
    const { screen } = this.#view;
    this.#store.add(
      screen.onInput((data) => {
        const held = this.sticky.value;
        if (held.ctrl || held.alt) this.sticky.value = NOTHING_HELD;
        this.#type(applyModifiers(data, held));
      }),
    );
    this.#store.add(
      screen.onBinary((data) => {
        this.#send(Uint8Array.from(data, (character) => character.charCodeAt(0)));
      }),
    );
    this.#store.add(
      this.#view.onPaste((text) => {
        void this.#paste(text);
      }),
    );
    this.#store.add(
      this.#view.onCommand((command) => {
        if (command === "copy") void this.copy();
        else {
          if (command === "leave") this.#view.blur();
          this.options.onCommand(command);
        }
      }),
    );
    this.#store.add(
      this.#view.onSelected(() => {
        if (this.#preferences.isCopyOnSelect) void this.copy();
      }),
    );
  }

  #type(data: string): void {
    if (data !== "") this.#send(new TextEncoder().encode(data));
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#session.value?.it.type(bytes);
  }

  async #paste(raw: string): Promise<void> {
    const plan = planPaste(raw);
    switch (plan.plan) {
      case "empty":
        return;
      case "refuse":
        this.options.onPasteRefused({ reason: "too-large", bytes: plan.bytes, max: plan.max });
        return;
      case "paste": {
        if (plan.needsAnswer && !isNeverAsked) {
          const answer = await this.options.askPaste({ text: plan.text, lines: plan.lines });
          this.#view.focus();
          if (answer === "cancel") return;
          if (answer === "paste-and-never-ask") isNeverAsked = true;
        }
        this.#send(encodePaste(plan.text, this.#view.isBracketedPaste));
        this.#view.scrollToBottom();
      }
    }
  }
}
