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
