/** What goes to the terminal emulator, in order: output, replays, sizes and exact screens. */

import type { Disposable } from "@/lib/disposable";
import { DisposableStore } from "@/lib/disposable";
import { Emitter, type Event } from "@/lib/emitter";
import type { Size } from "./session-state";

/** What xterm.js and its headless twin have in common, as far as this file needs it. */
export interface Emulator {
  readonly cols: number;
  readonly rows: number;
  readonly buffer: {
    readonly active: {
      readonly baseY: number;
      getLine(y: number): { translateToString(trimRight?: boolean): string } | undefined;
    };
  };
  readonly parser: {
    registerCsiHandler(id: FunctionId, callback: () => boolean): Disposable;
    registerDcsHandler(id: FunctionId, callback: () => boolean): Disposable;
    registerOscHandler(ident: number, callback: (data: string) => boolean): Disposable;
  };
  readonly onData: (listener: (data: string) => void) => Disposable;
  readonly onBinary: (listener: (data: string) => void) => Disposable;
  write(data: string | Uint8Array, callback?: () => void): void;
  resize(cols: number, rows: number): void;
}

interface FunctionId {
  prefix?: string;
  intermediates?: string;
  final: string;
}

const ESC = "\x1b";
const CSI = `${ESC}[`;

/** CAN: give up whatever sequence or character the output was in the middle of. */
const CANCEL = "\x18";

/** DECSTR: cursor, attributes, character sets, scroll region, saved cursor, most modes. */
const SOFT_RESET = `${CSI}!p`;

/**
 * What DECSTR leaves in xterm.js: the alternate buffer's own saved cursor and region, mouse
 * reports, newline mode, an open hyperlink, and colours that the program has changed.
 */
const LEAVE_AND_RESET = [
  CANCEL,
  `${CSI}?47h${SOFT_RESET}${CSI}?47l${SOFT_RESET}`,
  `${CSI}?9;1000;1002;1003l${CSI}?1006;1016l${CSI}20l`,
  `${ESC}]8;;${ESC}\\`,
  `${ESC}]104${ESC}\\${ESC}]110${ESC}\\${ESC}]111${ESC}\\${ESC}]112${ESC}\\`,
].join("");

/** Columns between two tab stops of a fresh terminal. */
const TAB_WIDTH = 8;

/** Sequences that make the emulator answer, apart from OSC 4, 10, 11 and 12 with a "?". */
const CSI_QUERIES: readonly FunctionId[] = [
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { final: "n" },
  { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" },
  { prefix: "?", intermediates: "$", final: "p" },
  { final: "t" },
];
const DCS_QUERIES: readonly FunctionId[] = [
  { intermediates: "$", final: "q" },
  { intermediates: "+", final: "q" },
];
const COLOUR_QUERIES: readonly number[] = [4, 10, 11, 12];

/** Focus and mouse reports: no typing, and meaningless to a program that draws an old screen. */
// eslint-disable-next-line no-control-regex -- the reports begin with ESC
const REPORT = /^\x1b\[(?:[IO]|<[\d;]+[Mm]|M[^]{3})$/;

/** Everything that is written goes through here, so that it happens in the order of the calls. */
export class Screen implements Disposable {
  readonly #store = new DisposableStore();
  readonly #input = this.#store.add(new Emitter<string>());
  readonly #binary = this.#store.add(new Emitter<string>());
  /** Operations that wait for the one that has blocked the queue; bounded by the output window. */
  readonly #waiting: (() => void)[] = [];
  #isBlocked = false;
  /** Whether what is being parsed right now is a replay. */
  #isReplaying = false;
  /** Whether what was queued last is a replay. */
  #endsInReplay = false;

  constructor(private readonly emulator: Emulator) {
    const { parser } = emulator;
    const swallow = () => this.#isReplaying;
    for (const id of CSI_QUERIES) this.#store.add(parser.registerCsiHandler(id, swallow));
    for (const id of DCS_QUERIES) this.#store.add(parser.registerDcsHandler(id, swallow));
    for (const ident of COLOUR_QUERIES) {
      this.#store.add(
        parser.registerOscHandler(ident, (data) => this.#isReplaying && data.includes("?")),
      );
    }
    this.#store.add(
      emulator.onData((data) => {
        if (!(this.#isReplaying && REPORT.test(data))) this.#input.fire(data);
      }),
    );
    this.#store.add(
      emulator.onBinary((data) => {
        if (!this.#isReplaying) this.#binary.fire(data);
      }),
    );
  }

  /** What the person typed, and what the emulator answers outside of a replay. */
  get onInput(): Event<string> {
    return this.#input.event;
  }

  /** The same in bytes that are not UTF-8 (old mouse reports): one character is one byte. */
  get onBinary(): Event<string> {
    return this.#binary.event;
  }

  /** Write output. In a replay the emulator answers nothing. `onWritten` runs when it is parsed. */
  write(bytes: Uint8Array, isReplay: boolean, onWritten: () => void): void {
    this.#enqueue(() => {
      this.#setReplay(isReplay);
      this.emulator.write(bytes, onWritten);
    });
  }

  /** Take another size as soon as everything before is parsed. */
  resize(size: Size): void {
    this.#enqueue(() => {
      this.#isBlocked = true;
      this.emulator.write("", () => {
        if (this.#store.isDisposed) return;
        this.#setSize(size);
        this.#release();
      });
    });
  }

  /**
   * Show exactly the screen that `bytes` draw on a fresh terminal of this size, and keep what was
   * visible so far above it in the scrollback, closed by the line `mark` unless that is empty.
   */
  resync(bytes: Uint8Array, size: Size, mark: string, onWritten: () => void): void {
    this.#enqueue(() => {
      this.#setReplay(true);
      this.#isBlocked = true;
      this.emulator.write(LEAVE_AND_RESET, () => {
        if (this.#store.isDisposed) return;
        this.#setSize(size);
        this.emulator.write(this.#clearIntoScrollback(mark));
        this.emulator.write(bytes, onWritten);
        this.#release();
      });
    });
  }

  dispose(): void {
    this.#waiting.length = 0;
    this.#store.dispose();
  }

  #enqueue(operation: () => void): void {
    if (this.#store.isDisposed) return;
    if (this.#isBlocked) this.#waiting.push(operation);
    else operation();
  }

  #release(): void {
    this.#isBlocked = false;
    const operations = this.#waiting.splice(0);
    // An operation may block again; #enqueue then puts the rest back, in order.
    for (const operation of operations) this.#enqueue(operation);
  }

  /** Switch between replay and live exactly between two writes. */
  #setReplay(isReplay: boolean): void {
    if (isReplay === this.#endsInReplay) return;
    this.#endsInReplay = isReplay;
    this.emulator.write("", () => {
      this.#isReplaying = isReplay;
    });
  }

  #setSize({ cols, rows }: Size): void {
    if (cols !== this.emulator.cols || rows !== this.emulator.rows) {
      this.emulator.resize(cols, rows);
    }
  }

  /** Sequences that scroll the visible lines out, write the mark and leave a fresh screen. */
  #clearIntoScrollback(mark: string): string {
    const { cols, rows } = this.emulator;
    const toBottom = `${CSI}${rows};1H`;
    const used = this.#usedRows();
    let text = toBottom + "\n".repeat(used);
    if (mark !== "") {
      text += `${CSI}H${CSI}2m${plainText(mark).slice(0, cols)}${CSI}m${toBottom}\n`;
    }
    text += `${CSI}2J${CSI}3g`;
    for (let column = TAB_WIDTH + 1; column <= cols; column += TAB_WIDTH) {
      text += `${CSI}${column}G${ESC}H`;
    }
    return `${text}${CSI}H`;
  }

  /** Visible rows down to the last one that shows something. */
  #usedRows(): number {
    const { active } = this.emulator.buffer;
    for (let row = this.emulator.rows - 1; row >= 0; row -= 1) {
      if (
        active
          .getLine(active.baseY + row)
          ?.translateToString(true)
          .trim()
      )
        return row + 1;
    }
    return 0;
  }
}

/** Remove control characters, so that words on the screen cannot steer it. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}
