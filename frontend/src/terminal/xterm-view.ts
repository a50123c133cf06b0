/** xterm.js on a page: its options, addons, size, links and clipboard. Knows no session. */

import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";

import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { Emitter, Observable } from "@/lib/emitter";
import { browserClock } from "@/transport/browser";
import { EMULATION } from "./emulation";
import { commandOf, type KeyCommand } from "./keymap";
import { openLink, safeLink } from "./links";
import type { SearchOptions, SearchResult } from "./pane";
import { DEFAULT_FONT_FAMILY, type TerminalPreferences } from "./preferences";
import { plainText, Screen } from "./screen";
import type { Size } from "./session-state";
import { StyleSafeDocument } from "./style-safe-document";
import { coloursFor } from "./themes";

import "./terminal.css";

/** What the wire allows (docs/protocol.md). */
const COLS = { min: 2, max: 500 } as const;
const ROWS = { min: 2, max: 300 } as const;
const DEFAULT_SIZE: Size = { cols: 80, rows: 24 };

/** A window that is being dragged changes its size on every frame; one resize follows. */
const RESIZE_SETTLED_MS = 60;

/** A viewer's font shrinks to this to show the owner's grid; below, the rest is cut off. */
const MIN_LETTERBOX_FONT = 4;

/** Contrast of text that the program's own colours get at least (WCAG AA). */
const MIN_CONTRAST = 4.5;

const MAX_TITLE = 200;

const SEARCH_COLOURS = {
  matchBackground: "#6b5a17",
  matchOverviewRuler: "#b58900",
  activeMatchBackground: "#b35c00",
  activeMatchColorOverviewRuler: "#ff8c1a",
};

/** One xterm.js terminal in an element. */
export class XtermView implements Disposable {
  readonly #store = new DisposableStore();
  readonly #styleSafe = this.#store.add(new StyleSafeDocument(document));
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #settle = this.#store.add(new MutableDisposable());
  readonly #commands = this.#store.add(new Emitter<KeyCommand>());
  readonly #pastes = this.#store.add(new Emitter<string>());
  readonly #bells = this.#store.add(new Emitter<undefined>());
  readonly #selections = this.#store.add(new Emitter<undefined>());
  readonly title = this.#store.add(new Observable(""));
  readonly size = this.#store.add(new Observable<Size>(DEFAULT_SIZE));
  readonly searchResult = this.#store.add(new Observable<SearchResult>({ index: -1, count: 0 }));
  readonly hasSelection = this.#store.add(new Observable(false));
  readonly screen: Screen;

  readonly onCommand = this.#commands.event;
  /** Text from the clipboard, as it is. */
  readonly onPaste = this.#pastes.event;
  readonly onBell = this.#bells.event;
  /** The person has finished selecting something. */
  readonly onSelected = this.#selections.event;

  #element: HTMLElement | undefined;
  #linkLabel: HTMLElement | undefined;
  /** True while the session's size counts and not that of the element. */
  #isLetterboxed = false;

  constructor(
    private preferences: TerminalPreferences,
    private isDark: boolean,
    private readonly isMac: boolean,
  ) {
    this.#terminal = this.#store.add(
      new Terminal({
        ...this.#options(),
        ...DEFAULT_SIZE,
        ...EMULATION,
        documentOverride: this.#styleSafe.document,
        minimumContrastRatio: MIN_CONTRAST,
        macOptionIsMeta: true,
        rightClickSelectsWord: false,
        linkHandler: {
          activate: (_event, uri) => {
            openLink(uri);
          },
          hover: (_event, uri) => {
            this.#showLink(uri);
          },
          leave: () => {
            this.#showLink(null);
          },
        },
      }),
    );
    this.screen = this.#store.add(new Screen(this.#terminal));
    this.#loadAddons();
    this.#listen();
  }

  /** Draw into `element`, which must be on the page. Call once. */
  mount(element: HTMLElement): void {
    this.#element = element;
    element.classList.add("hatchway-terminal");
    this.#paintElement();
    this.#styleSafe.during(() => {
      this.#terminal.open(element);
    });
    this.#loadWebgl();
    const label = document.createElement("div");
    label.className = "hatchway-terminal-link";
    label.hidden = true;
    element.append(label);
    this.#linkLabel = label;
    this.#interceptPaste(element);
    element.addEventListener("mouseup", () => {
      if (this.#terminal.hasSelection()) this.#selections.fire(undefined);
    });
    const observer = new ResizeObserver(() => {
      this.#fitSoon();
    });
    observer.observe(element);
    this.#store.onDispose(() => {
      observer.disconnect();
      element.classList.remove("hatchway-terminal", "is-letterboxed");
      element.replaceChildren();
    });
    this.fit();
  }

  /** Take the size of the element, or make the session's size fit into it. */
  fit(): void {
    if (this.#element === undefined || this.#element.clientWidth === 0) return;
    if (this.#isLetterboxed) {
      this.#shrinkFont(this.#element);
      return;
    }
    const proposed = this.#fit.proposeDimensions();
    if (proposed === undefined || Number.isNaN(proposed.cols) || Number.isNaN(proposed.rows))
      return;
    const cols = clamp(proposed.cols, COLS);
    const rows = clamp(proposed.rows, ROWS);
    if (cols !== this.#terminal.cols || rows !== this.#terminal.rows) {
      this.#terminal.resize(cols, rows);
    }
  }

  /** Let the session's size count (a viewer), or the element's (an owner). */
  setLetterboxed(isLetterboxed: boolean): void {
    if (isLetterboxed === this.#isLetterboxed) return;
    this.#isLetterboxed = isLetterboxed;
    this.#element?.classList.toggle("is-letterboxed", isLetterboxed);
    this.#terminal.options.fontSize = this.preferences.fontSize;
    this.fit();
  }

  setPreferences(preferences: TerminalPreferences, isDark: boolean): void {
    this.preferences = preferences;
    this.isDark = isDark;
    this.#terminal.options = this.#options();
    this.#paintElement();
    this.fit();
  }

  focus(): void {
    this.#terminal.focus();
  }

  blur(): void {
    this.#terminal.blur();
  }

  get isBracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  get isApplicationCursor(): boolean {
    return this.#terminal.modes.applicationCursorKeysMode;
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  selectAll(): void {
    this.#terminal.selectAll();
  }

  clearScrollback(): void {
    this.#terminal.clear();
  }

  scrollToBottom(): void {
    this.#terminal.scrollToBottom();
  }

  findNext(text: string, options: SearchOptions): void {
    this.#search.findNext(text, searchOptions(options));
  }

  findPrevious(text: string, options: SearchOptions): void {
    this.#search.findPrevious(text, searchOptions(options));
  }

  clearSearch(): void {
    this.#search.clearDecorations();
    this.searchResult.value = { index: -1, count: 0 };
  }

  dispose(): void {
    this.#store.dispose();
  }

  #options() {
    const { preferences } = this;
    const { background, foreground, cursor, selection, ansi } = coloursFor(
      preferences,
      this.isDark,
    );
    const [black, red, green, yellow, blue, magenta, cyan, white, ...bright] = ansi;
    const [
      brightBlack,
      brightRed,
      brightGreen,
      brightYellow,
      brightBlue,
      brightMagenta,
      brightCyan,
      brightWhite,
    ] = bright;
    const named = { black, red, green, yellow, blue, magenta, cyan, white };
    const namedBright = {
      brightBlack,
      brightRed,
      brightGreen,
      brightYellow,
      brightBlue,
      brightMagenta,
      brightCyan,
      brightWhite,
    };
    return {
      fontSize: preferences.fontSize,
      fontFamily: preferences.fontFamily === "" ? DEFAULT_FONT_FAMILY : preferences.fontFamily,
      cursorStyle: preferences.cursorStyle,
      cursorBlink: preferences.isCursorBlinking && !prefersNoMotion(),
      scrollback: preferences.scrollback,
      screenReaderMode: preferences.isScreenReaderMode,
      theme: {
        background,
        foreground,
        cursor,
        cursorAccent: background,
        selectionBackground: selection,
        ...withoutUndefined({ ...named, ...namedBright }),
      },
    };
  }

  #loadAddons(): void {
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(this.#search);
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    terminal.loadAddon(
      new WebLinksAddon(
        (_event, uri) => {
          openLink(uri);
        },
        {
          hover: (_event, uri) => {
            this.#showLink(uri);
          },
          leave: () => {
            this.#showLink(null);
          },
        },
      ),
    );
  }

  /** Draw with WebGL where it works; else xterm.js draws with elements. */
  #loadWebgl(): void {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        this.#styleSafe.keepSpansSafe();
        webgl.dispose();
      });
      this.#terminal.loadAddon(webgl);
    } catch {
      // No WebGL 2 here.
      this.#styleSafe.keepSpansSafe();
    }
  }

  #listen(): void {
    const terminal = this.#terminal;
    this.#store.add(
      terminal.onTitleChange((title) => {
        this.title.value = plainText(title).slice(0, MAX_TITLE);
      }),
    );
    this.#store.add(
      terminal.onResize(({ cols, rows }) => {
        this.size.value = { cols, rows };
        // Later: the grid that is measured is not drawn in its new size yet.
        if (this.#isLetterboxed) this.#fitSoon();
      }),
    );
    this.#store.add(
      terminal.onSelectionChange(() => {
        this.hasSelection.value = terminal.hasSelection();
      }),
    );
    this.#store.add(
      terminal.onBell(() => {
        this.#bells.fire(undefined);
      }),
    );
    this.#store.add(
      this.#search.onDidChangeResults(({ resultIndex, resultCount }) => {
        this.searchResult.value = { index: resultIndex, count: resultCount };
      }),
    );
    terminal.attachCustomKeyEventHandler((event) => this.#handleKey(event));
  }

  #paintElement(): void {
    const { background } = coloursFor(this.preferences, this.isDark);
    if (this.#element !== undefined) this.#element.style.backgroundColor = background;
  }

  #fitSoon(): void {
    this.#settle.value = browserClock.after(RESIZE_SETTLED_MS, () => {
      this.fit();
    });
  }

  /** Return false for a key that xterm.js must leave alone. */
  #handleKey(event: KeyboardEvent): boolean {
    const command = commandOf(event, this.isMac);
    if (command === null) return true;
    // Left to the page (Alt-1 to Alt-9), or to the browser, whose paste event asks nobody.
    if (command === "tab" || command === "paste") return false;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "keydown") this.#commands.fire(command);
    return false;
  }

  /** Every way to paste or drop passes here before xterm.js could see it. */
  #interceptPaste(element: HTMLElement): void {
    const take = (event: Event, data: DataTransfer | null) => {
      event.preventDefault();
      event.stopPropagation();
      const text = data?.getData("text/plain") ?? "";
      if (text !== "") this.#pastes.fire(text);
    };
    element.addEventListener(
      "paste",
      (event) => {
        take(event, event.clipboardData);
      },
      { capture: true },
    );
    element.addEventListener(
      "drop",
      (event) => {
        take(event, event.dataTransfer);
      },
      { capture: true },
    );
  }

  /** Shrink the font until the session's grid fits. */
  #shrinkFont(element: HTMLElement): void {
    const grid = element.querySelector(".xterm-screen");
    const drawn = this.#terminal.options.fontSize ?? this.preferences.fontSize;
    if (grid === null) return;
    const { width, height } = grid.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    const scale = Math.min(element.clientWidth / width, element.clientHeight / height);
    const fitting = Math.floor(drawn * scale * 4) / 4;
    this.#terminal.options.fontSize = Math.max(
      MIN_LETTERBOX_FONT,
      Math.min(this.preferences.fontSize, fitting),
    );
  }

  #showLink(uri: string | null): void {
    if (this.#linkLabel === undefined) return;
    const href = uri === null ? null : safeLink(uri);
    this.#linkLabel.textContent = href ?? "";
    this.#linkLabel.hidden = href === null;
  }
}

function searchOptions(options: SearchOptions) {
  return {
    regex: options.isRegex ?? false,
    caseSensitive: options.isCaseSensitive ?? false,
    wholeWord: options.isWholeWord ?? false,
    decorations: SEARCH_COLOURS,
  };
}

function withoutUndefined(colours: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(colours).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function prefersNoMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function clamp(value: number, range: { min: number; max: number }): number {
  return Math.min(range.max, Math.max(range.min, value));
}
