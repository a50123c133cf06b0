/** What a paste may put into a terminal: text without control characters, and never by surprise. */

/** More than this is no paste but a file transfer, and refused. */
export const MAX_PASTE_BYTES = 5 * 1024 * 1024;

const BRACKET_START = "\x1b[200~";
const BRACKET_END = "\x1b[201~";

/** Every control character of C0 and C1 (ESC and DEL too) but tab and newline. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export type PastePlan =
  | { readonly plan: "empty" }
  | { readonly plan: "refuse"; readonly bytes: number; readonly max: number }
  /** `text` has \n between lines; `needsAnswer` when the shell could run a line at once. */
  | {
      readonly plan: "paste";
      readonly text: string;
      readonly lines: number;
      readonly needsAnswer: boolean;
    };

/** Clean what comes from the clipboard, and say what has to happen with it. */
export function planPaste(raw: string): PastePlan {
  const bytes = new TextEncoder().encode(raw).length;
  if (bytes > MAX_PASTE_BYTES) return { plan: "refuse", bytes, max: MAX_PASTE_BYTES };
  const text = raw.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(CONTROL, "");
  if (text === "") return { plan: "empty" };
  const lines = text.split("\n").length;
  return { plan: "paste", text, lines, needsAnswer: lines > 1 };
}

/** The bytes that the program in the terminal gets for a cleaned text. */
export function encodePaste(text: string, isBracketed: boolean): Uint8Array<ArrayBuffer> {
  const typed = text.replaceAll("\n", "\r");
  return new TextEncoder().encode(isBracketed ? BRACKET_START + typed + BRACKET_END : typed);
}
