/** How a terminal looks and behaves for this person: validated, immutable, free of any browser. */

export interface TerminalColours {
  readonly background: string;
  readonly foreground: string;
  readonly cursor: string;
  readonly selection: string;
  /** black, red, green, yellow, blue, magenta, cyan, white, then the bright ones. */
  readonly ansi: readonly string[];
}

export type CursorStyle = "block" | "bar" | "underline";

export interface TerminalPreferences {
  /** Pixels, 8 to 32. */
  readonly fontSize: number;
  /** A CSS font family list; empty for the default one. */
  readonly fontFamily: string;
  /** A name of TERMINAL_THEMES, "own", or "auto": the default of the page's light or dark. */
  readonly theme: string;
  readonly ownColours: TerminalColours | null;
  readonly cursorStyle: CursorStyle;
  readonly isCursorBlinking: boolean;
  /** Lines, 0 to 100 000. */
  readonly scrollback: number;
  readonly isScreenReaderMode: boolean;
  readonly isCopyOnSelect: boolean;
}

export const DEFAULT_PREFERENCES: TerminalPreferences = {
  fontSize: 13,
  fontFamily: "",
  theme: "auto",
  ownColours: null,
  cursorStyle: "block",
  isCursorBlinking: true,
  scrollback: 10_000,
  isScreenReaderMode: false,
  isCopyOnSelect: false,
};
