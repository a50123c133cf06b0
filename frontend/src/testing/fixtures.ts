/** The golden frames of tests/fixtures, which pytest reads too. */

import { readFileSync } from "node:fs";

export interface Fixture {
  readonly name: string;
  readonly direction: "client" | "server";
  readonly hex?: string;
  readonly text?: string;
  readonly meaning?: Readonly<Record<string, unknown>>;
}

/** Read one file of golden frames, e.g. "tty/binary". */
export function readFixtures(name: string, direction?: "client" | "server"): Fixture[] {
  const url = new URL(`../../../tests/fixtures/${name}.json`, import.meta.url);
  const rows = JSON.parse(readFileSync(url, "utf8")) as Fixture[];
  return rows.filter((row) => direction === undefined || row.direction === direction);
}

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
