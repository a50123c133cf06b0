/** Keys that the terminal leaves to the interface, and the codes of the touch key bar. */

/** A key that the interface handles although the terminal has the focus. */
export type KeyCommand =
  | "copy"
  | "paste"
  | "find"
  | "leave"
  | "font-larger"
  | "font-smaller"
  | "font-reset"
  | "palette"
  | "tab";

/** A key of the bar that touch screens get. */
export type TouchKey =
  | "escape"
  | "tab"
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "page-up"
  | "page-down"
  | "pipe"
  | "slash"
  | "dash";

/** The part of a KeyboardEvent that decides. */
export interface Key {
  readonly type: string;
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
}

const LETTER_COMMANDS: Readonly<Record<string, KeyCommand>> = {
  KeyC: "copy",
  KeyV: "paste",
  KeyF: "find",
  // Ctrl-K alone cuts the line in most shells; outside a terminal it opens the palette too.
  KeyK: "palette",
};

/** Name the command of a key, or null when the key belongs to the program in the terminal. */
export function commandOf(key: Key, isMac: boolean): KeyCommand | null {
  if (isMac && key.metaKey && !key.ctrlKey && !key.altKey) return macCommand(key);
  if (key.metaKey) return null;
  if (key.altKey && !key.ctrlKey && !key.shiftKey && /^Digit[1-9]$/.test(key.code)) return "tab";
  if (!key.ctrlKey || key.altKey) return null;
  if (key.shiftKey) {
    if (key.key === "Escape") return "leave";
    const letter = LETTER_COMMANDS[key.code];
    if (letter !== undefined) return letter;
    // Ctrl-Shift-"=" is how many layouts type Ctrl-"+".
    return key.key === "+" ? "font-larger" : null;
  }
  return fontCommand(key);
}

function macCommand(key: Key): KeyCommand | null {
  if (key.shiftKey) return key.key === "+" ? "font-larger" : null;
  return LETTER_COMMANDS[key.code] ?? fontCommand(key);
}

function fontCommand(key: Key): KeyCommand | null {
  switch (key.key) {
    case "+":
    case "=":
      return "font-larger";
    case "-":
      return "font-smaller";
    case "0":
      return "font-reset";
    default:
      return null;
  }
}

/** Final byte of the cursor keys: CSI in normal mode, SS3 in application mode. */
const CURSOR_KEYS: Readonly<Partial<Record<TouchKey, string>>> = {
  up: "A",
  down: "B",
  right: "C",
  left: "D",
  home: "H",
  end: "F",
};

const PAGE_KEYS: Readonly<Partial<Record<TouchKey, string>>> = { "page-up": "5", "page-down": "6" };

const PLAIN_KEYS: Readonly<Partial<Record<TouchKey, string>>> = {
  escape: "\x1b",
  tab: "\t",
  pipe: "|",
  slash: "/",
  dash: "-",
};

/** What a key of the touch bar sends. */
export function touchKeyData(key: TouchKey, held: Modifiers, isApplicationMode: boolean): string {
  const modifier = 1 + (held.alt ? 2 : 0) + (held.ctrl ? 4 : 0);
  const cursor = CURSOR_KEYS[key];
  if (cursor !== undefined) {
    if (modifier > 1) return `\x1b[1;${modifier}${cursor}`;
    return (isApplicationMode ? "\x1bO" : "\x1b[") + cursor;
  }
  const page = PAGE_KEYS[key];
  if (page !== undefined) return modifier > 1 ? `\x1b[${page};${modifier}~` : `\x1b[${page}~`;
  return applyModifiers(PLAIN_KEYS[key] ?? "", held);
}

/** Turn one typed character into what it is with Ctrl or Alt held; other data stays as it is. */
export function applyModifiers(data: string, held: Modifiers): string {
  if (data.length !== 1) return data;
  let result = data;
  if (held.ctrl) {
    const code = data.toUpperCase().charCodeAt(0);
    if (code >= 0x40 && code <= 0x5f) result = String.fromCharCode(code & 0x1f);
    else if (data === " ") result = "\0";
    else if (data === "?") result = "\x7f";
    else if (data === "/" || data === "-") result = "\x1f";
  }
  return held.alt ? `\x1b${result}` : result;
}
