/** Reading untrusted JSON: every field is checked once, here, and typed from then on. */

/** The other end sent something that docs/protocol.md does not allow. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtocolError";
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** Parse a text frame; it must hold one JSON object. Throws ProtocolError. */
export function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("A text frame is one JSON object.");
  }
  if (!isFields(value)) throw new ProtocolError("A text frame is one JSON object.");
  return value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readString(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new ProtocolError(`\`${name}\` is a string.`);
  return value;
}

/** A whole number from 0 to 2^53 - 1. */
export function readCount(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new ProtocolError(`\`${name}\` is a whole number from 0 to 2^53 - 1.`);
  }
  return value as number;
}

export function readNumber(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number") throw new ProtocolError(`\`${name}\` is a number.`);
  return value;
}

export function readBoolean(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== "boolean") throw new ProtocolError(`\`${name}\` is true or false.`);
  return value;
}

/** Why something is refused or over: a code to translate, and what the translation may name. */
export interface Because {
  readonly code: string;
  readonly data: Fields;
}

/** A reason, or null where the server gives none. */
export function readBecause(value: unknown): Because | null {
  if (!isFields(value) || typeof value.code !== "string") return null;
  return { code: value.code, data: readData(value, "data") };
}

/** An object, or an empty one where the field is missing. */
export function readData(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : {};
}

export function readList(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new ProtocolError(`\`${name}\` is a list.`);
  return value;
}

export function readStrings(fields: Fields, name: string): readonly string[] {
  const value = readList(fields, name);
  if (!value.every((item) => typeof item === "string")) {
    throw new ProtocolError(`\`${name}\` is a list of strings.`);
  }
  return value;
}

/** One of a closed set of words. */
export function readWord<T extends string>(fields: Fields, name: string, words: readonly T[]): T {
  const value = fields[name];
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new ProtocolError(`\`${name}\` is one of ${words.join(", ")}.`);
  return word;
}
