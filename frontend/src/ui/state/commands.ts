/** What the palette and the keyboard can do besides opening containers. */

/** One thing that a person can do now. */
export interface Command {
  readonly id: string;
  /** A key of the catalogue. */
  readonly label: string;
  readonly shortcut?: string;
  readonly run: () => void;
}

const isMac = navigator.platform.startsWith("Mac");

/** The keys as this machine's keyboard names them. */
export const SHORTCUTS = {
  palette: isMac ? "⌘K" : "Ctrl-K",
  find: isMac ? "⌘F" : "Ctrl-Shift-F",
  copy: isMac ? "⌘C" : "Ctrl-Shift-C",
  paste: isMac ? "⌘V" : "Ctrl-Shift-V",
  leave: "Ctrl-Shift-Esc",
  tab: isMac ? "⌥1…9" : "Alt-1…9",
  fontLarger: isMac ? "⌘+" : "Ctrl-+",
  fontSmaller: isMac ? "⌘-" : "Ctrl--",
  fontReset: isMac ? "⌘0" : "Ctrl-0",
  help: "?",
  sidebar: isMac ? "⌘B" : "Ctrl-B",
} as const;

/** The commands that are possible at the moment; views add theirs and take them away again. */
export class CommandRegistry {
  readonly #sources = new Set<() => readonly Command[]>();

  get all(): readonly Command[] {
    return [...this.#sources].flatMap((source) => source());
  }

  /** Add commands; the answer removes them. */
  add(source: () => readonly Command[]): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  run(id: string): boolean {
    const command = this.all.find((candidate) => candidate.id === id);
    command?.run();
    return command !== undefined;
  }
}
