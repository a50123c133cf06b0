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
  /** An id of TERMINAL_THEMES, "own", or "auto": the default of the page's light or dark. */
  readonly theme: string;
  readonly ownColours: TerminalColours | null;
  readonly cursorStyle: CursorStyle;
  readonly isCursorBlinking: boolean;
  /** Lines, 0 to 100 000. */
  readonly scrollback: number;
  readonly isScreenReaderMode: boolean;
  readonly isCopyOnSelect: boolean;
}

export const FONT_SIZE = { min: 8, max: 32 } as const;
export const SCROLLBACK = { min: 0, max: 100_000 } as const;
export const CURSOR_STYLES: readonly CursorStyle[] = ["block", "bar", "underline"];

export const DEFAULT_FONT_FAMILY = 'ui-monospace, "JetBrains Mono", "Sarasa Mono SC", monospace';

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

const MAX_FONT_FAMILY = 200;

/** Letters, digits, spaces, quotes, commas, hyphens: a family list, and no way out of it into CSS. */
const FONT_FAMILY = /^[\p{L}\p{N} ,'"_-]*$/u;
const COLOUR = /^#[0-9a-f]{6}$/i;
const THEME_ID = /^[a-z0-9-]{1,40}$/;
const ANSI_COLOURS = 16;

/** Read preferences from stored JSON; what is missing or wrong becomes the default. */
export function parsePreferences(stored: unknown): TerminalPreferences {
  const fields = isObject(stored) ? stored : {};
  const defaults = DEFAULT_PREFERENCES;
  return {
    fontSize: numberIn(fields.fontSize, FONT_SIZE, defaults.fontSize),
    fontFamily: matching(fields.fontFamily, FONT_FAMILY, defaults.fontFamily),
    theme: matching(fields.theme, THEME_ID, defaults.theme),
    ownColours: parseColours(fields.ownColours),
    cursorStyle:
      CURSOR_STYLES.find((style) => style === fields.cursorStyle) ?? defaults.cursorStyle,
    isCursorBlinking: booleanOr(fields.isCursorBlinking, defaults.isCursorBlinking),
    scrollback: numberIn(fields.scrollback, SCROLLBACK, defaults.scrollback),
    isScreenReaderMode: booleanOr(fields.isScreenReaderMode, defaults.isScreenReaderMode),
    isCopyOnSelect: booleanOr(fields.isCopyOnSelect, defaults.isCopyOnSelect),
  };
}

/** Change the font size by whole pixels, within its limits. */
export function withFontSize(preferences: TerminalPreferences, size: number): TerminalPreferences {
  const fontSize = Math.min(FONT_SIZE.max, Math.max(FONT_SIZE.min, Math.round(size)));
  return { ...preferences, fontSize };
}

/** Read a person's own colours; null unless every one is a colour. */
export function parseColours(stored: unknown): TerminalColours | null {
  if (!isObject(stored) || !Array.isArray(stored.ansi)) return null;
  const { background, foreground, cursor, selection } = stored;
  const ansi: readonly unknown[] = stored.ansi;
  const single = [background, foreground, cursor, selection];
  if (ansi.length !== ANSI_COLOURS || ![...single, ...ansi].every(isColour)) return null;
  return {
    background: String(background),
    foreground: String(foreground),
    cursor: String(cursor),
    selection: String(selection),
    ansi: ansi.map(String),
  };
}

function isColour(value: unknown): value is string {
  return typeof value === "string" && COLOUR.test(value);
}

function numberIn(value: unknown, range: { min: number; max: number }, otherwise: number): number {
  if (typeof value !== "number" || !Number.isFinite(value)) return otherwise;
  return Math.min(range.max, Math.max(range.min, Math.round(value)));
}

function matching(value: unknown, pattern: RegExp, otherwise: string): string {
  const isGood = typeof value === "string" && value.length <= MAX_FONT_FAMILY;
  return isGood && pattern.test(value) ? value : otherwise;
}

function booleanOr(value: unknown, otherwise: boolean): boolean {
  return typeof value === "boolean" ? value : otherwise;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
