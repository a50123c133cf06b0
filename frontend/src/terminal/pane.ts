/** What the interface needs of a terminal: a session and its screen, in one object. */

import type { Shell, Target } from "@/api";
import type { Disposable } from "@/lib/disposable";
import type { Event, ReadonlyObservable } from "@/lib/emitter";
import type { KeyCommand, TouchKey } from "./keymap";
import type { TerminalPreferences } from "./preferences";
import type { SessionSnapshot, Size } from "./session-state";

/** What to open: something new, or a session that exists. */
export type OpenRequest =
  | {
      readonly kind: "exec";
      readonly target: Target;
      readonly shell: Shell;
      /** An argv, for the shell "custom" only. */
      readonly command: readonly string[] | null;
      /** Skip what this tab remembers and start a new session. */
      readonly isFresh: boolean;
    }
  | {
      readonly kind: "attach";
      readonly target: Target;
      readonly isFresh: boolean;
      /** Proof that this person has just made the container, to type in it at once. */
      readonly made?: string | undefined;
    }
  | { readonly kind: "resume"; readonly session: string; readonly role: "owner" | "viewer" };

/** Words that the terminal itself writes on the screen. */
export interface PaneWords {
  /** E.g. "12.0 MB skipped", for a mark line; control characters are removed. */
  skipped(bytes: number): string;
}

/** A paste that needs the person's word first. */
export interface PasteQuestion {
  /** Cleaned text, as the terminal would get it, with \n between lines. */
  readonly text: string;
  readonly lines: number;
}

export type PasteAnswer = "paste" | "paste-and-never-ask" | "cancel";

export type PasteRefusal = {
  readonly reason: "too-large";
  readonly bytes: number;
  readonly max: number;
};

export interface SearchOptions {
  readonly isCaseSensitive?: boolean;
  readonly isRegex?: boolean;
  readonly isWholeWord?: boolean;
}

export interface SearchResult {
  /** From 0; -1 when nothing is marked. */
  readonly index: number;
  readonly count: number;
}

export interface PaneOptions {
  readonly request: OpenRequest;
  /**
   * Names this terminal within this tab, the same after a reload (e.g. "tab-1"). What the tab
   * remembers of its session is kept under this name.
   */
  readonly slot: string;
  readonly preferences: TerminalPreferences;
  /** Whether the page is dark; decides the theme "auto". */
  readonly isDark: boolean;
  readonly words: PaneWords;
  readonly askPaste: (question: PasteQuestion) => Promise<PasteAnswer>;
  readonly onPasteRefused: (refusal: PasteRefusal) => void;
  /**
   * A key that belongs to the interface was pressed inside the terminal: find, leave, palette,
   * zoom. "copy" and "paste" are done by the pane; "tab" (Alt-1 to Alt-9) goes on to the page.
   */
  readonly onCommand: (command: KeyCommand) => void;
}

/** One terminal: create it, `mount` it into an element, read `snapshot`, `dispose` it. */
export interface TerminalPane extends Disposable {
  readonly snapshot: ReadonlyObservable<SessionSnapshot>;
  /** The title that the program set, as plain text; show it as text only. */
  readonly title: ReadonlyObservable<string>;
  /** The size that is drawn. */
  readonly size: ReadonlyObservable<Size>;
  readonly searchResult: ReadonlyObservable<SearchResult>;
  readonly hasSelection: ReadonlyObservable<boolean>;
  readonly onBell: Event<void>;

  /** Draw into an element (once) and connect. The element's box decides the size. */
  mount(element: HTMLElement): void;
  /** Fit again, e.g. after the element became visible. */
  fit(): void;
  focus(): void;
  /** Give the focus back to the page. */
  blur(): void;
  setPreferences(preferences: TerminalPreferences, isDark: boolean): void;

  /** Copy the selection to the clipboard; false when nothing is selected. */
  copy(): Promise<boolean>;
  /** Paste from the clipboard, through the guard. */
  paste(): Promise<void>;
  selectAll(): void;
  clearScrollback(): void;
  findNext(text: string, options?: SearchOptions): void;
  findPrevious(text: string, options?: SearchOptions): void;
  clearSearch(): void;
  /** Press a key of the touch key bar. */
  pressKey(key: TouchKey): void;
  /** Hold Ctrl or Alt for the next key that is typed. */
  setSticky(modifier: "ctrl" | "alt", isHeld: boolean): void;
  readonly sticky: ReadonlyObservable<{ readonly ctrl: boolean; readonly alt: boolean }>;

  /** Try to reconnect now. */
  retryNow(): void;
  /** Become the owner again after another tab took over. */
  take(): void;
  /** Attach: let input reach the main process; the person has confirmed. */
  enableInput(): void;
  /** End the session for everybody. */
  end(): void;
  /** Answer the phase "duplicate": watch the session of the other tab, take it over, or start anew. */
  resolveDuplicate(choice: "watch" | "take" | "fresh"): void;
  /** Start again with another request (another shell, start again after the end). */
  restart(request: OpenRequest): void;
}
