/** xterm.js without a page: the same emulator as in the browser, to write to and to look at. */

import xterm from "@xterm/headless";

import { EMULATION } from "@/terminal/emulation";

export type Headless = InstanceType<typeof xterm.Terminal>;

/** Make an emulator as terminal/xterm-view.ts does. */
export function createHeadless(cols = 80, rows = 24, scrollback = 1000): Headless {
  return new xterm.Terminal({ ...EMULATION, cols, rows, scrollback });
}

/** Write, and wait until it is parsed. */
export function feed(terminal: Headless, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    terminal.write(data, resolve);
  });
}

/** The text of a row of the visible screen. */
export function rowText(terminal: Headless, row: number): string {
  const { active } = terminal.buffer;
  return active.getLine(active.baseY + row)?.translateToString(true) ?? "";
}

/** The rows above the visible screen. */
export function scrollbackText(terminal: Headless): string[] {
  const { active } = terminal.buffer;
  return Array.from(
    { length: active.baseY },
    (_, row) => active.getLine(row)?.translateToString(true) ?? "",
  );
}

/** Everything that can be seen of the visible screen: cells, attributes, cursor, modes. */
export function describeScreen(terminal: Headless) {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: terminal.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row);
    if (line === undefined) return { wrapped: false, cells: "" };
    const cells = Array.from({ length: terminal.cols }, (_cell, column) => {
      const cell = line.getCell(column);
      if (cell === undefined) return "";
      const flags = [
        cell.isBold(),
        cell.isDim(),
        cell.isItalic(),
        cell.isUnderline(),
        cell.isBlink(),
        cell.isInverse(),
        cell.isInvisible(),
        cell.isStrikethrough(),
        cell.isOverline(),
      ].map(Number);
      const colours = [
        cell.getFgColorMode(),
        cell.getFgColor(),
        cell.getBgColorMode(),
        cell.getBgColor(),
      ];
      const isPlain = ![...flags, cell.getFgColorMode(), cell.getBgColorMode()].some(Boolean);
      const characters = cell.getChars() || (cell.getWidth() === 0 ? "" : " ");
      return isPlain ? characters : `${characters}{${flags.join("")} ${colours.join(" ")}}`;
    });
    return { wrapped: line.isWrapped, cells: cells.join("").trimEnd() };
  });
  return {
    buffer: active.type,
    cursor: [active.cursorX, active.cursorY],
    modes: { ...terminal.modes },
    rows,
  };
}
