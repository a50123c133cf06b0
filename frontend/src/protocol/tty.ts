/** Subprotocol `hatchway.tty.v1`: one terminal. docs/protocol.md is the contract. */

import {
  type Fields,
  parseObject,
  ProtocolError,
  readBoolean,
  readCount,
  readData,
  readNumber,
  readString,
  readWord,
} from "./fields";

export const TTY_SUBPROTOCOL = "hatchway.tty.v1";

/** Bytes of input or output in one frame. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Bytes of the escape sequences that draw one screen. */
export const MAX_SCREEN_BYTES = 1024 * 1024;

const INPUT = 0x00;
const OUTPUT = 0x01;
const SCREEN = 0x02;
/** One byte that names the frame, then an offset as u64, big-endian. */
const HEADER_BYTES = 9;
const TWO_TO_32 = 2 ** 32;

export interface GridSize {
  readonly cols: number;
  readonly rows: number;
}

export type ClientMessage =
  | ({ readonly type: "hello"; readonly client: string; readonly offset: number | null } & GridSize)
  | { readonly type: "ack"; readonly offset: number }
  | ({ readonly type: "resize" } & GridSize)
  | { readonly type: "ping"; readonly t: number }
  | { readonly type: "take" }
  | { readonly type: "enable_input" }
  | { readonly type: "end" };

export interface Welcome extends GridSize {
  readonly type: "welcome";
  readonly session: string;
  readonly role: "owner" | "viewer";
  readonly epoch: number;
  /** The input offset that the server expects next from this client. */
  readonly input: number;
  /** Where output starts. */
  readonly offset: number;
  /** Output below this offset is a replay. */
  readonly live: number;
  readonly state: "starting" | "live" | "ended";
  readonly kind: "exec" | "attach";
  readonly inputEnabled: boolean;
  readonly command: string;
}

export type ServerMessage =
  | Welcome
  | { readonly type: "input"; readonly input: number }
  | ({
      readonly type: "resync";
      readonly reason: string;
      readonly skipped: number;
      readonly offset: number;
    } & GridSize)
  | { readonly type: "command"; readonly command: string }
  | { readonly type: "state"; readonly state: "starting" | "live" | "ended" }
  | ({ readonly type: "size"; readonly offset: number } & GridSize)
  | {
      readonly type: "role";
      readonly role: "owner" | "viewer";
      readonly epoch: number;
      readonly reason: string;
      readonly input: number | null;
    }
  | { readonly type: "input_enabled" }
  | { readonly type: "people"; readonly viewers: number }
  | { readonly type: "pong"; readonly t: number }
  | { readonly type: "notice"; readonly code: string; readonly data: Fields }
  | {
      readonly type: "error";
      readonly code: string;
      readonly message: string;
      readonly data: Fields;
    }
  | {
      readonly type: "ended";
      readonly reason: string;
      readonly exitCode: number | null;
      readonly message: string;
      readonly data: Fields;
    };

export interface BytesFrame {
  readonly type: "output" | "screen";
  readonly offset: number;
  /** A view into the frame, not a copy. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Make a text frame. */
export function encodeMessage(message: ClientMessage): string {
  return JSON.stringify(message);
}

/** Make an input frame of 1 to 65 536 bytes. Throws RangeError. */
export function encodeInput(offset: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0 || bytes.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`An input frame carries 1 to 65536 bytes, not ${bytes.length}.`);
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`${offset} is not an offset.`);
  }
  const frame = new Uint8Array(HEADER_BYTES + bytes.length);
  const header = new DataView(frame.buffer);
  header.setUint8(0, INPUT);
  header.setUint32(1, Math.floor(offset / TWO_TO_32));
  header.setUint32(5, offset % TWO_TO_32);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

/** Read a binary frame of the server. Throws ProtocolError. */
export function decodeBinary(frame: ArrayBuffer): BytesFrame {
  const length = frame.byteLength - HEADER_BYTES;
  if (length < 0) throw new ProtocolError("A binary frame has at least 9 bytes.");
  const header = new DataView(frame);
  const offset = header.getUint32(1) * TWO_TO_32 + header.getUint32(5);
  if (!Number.isSafeInteger(offset)) throw new ProtocolError("An offset is at most 2^53 - 1.");
  const bytes = new Uint8Array(frame, HEADER_BYTES);
  switch (header.getUint8(0)) {
    case OUTPUT:
      if (length === 0 || length > MAX_PAYLOAD_BYTES) {
        throw new ProtocolError("An output frame carries 1 to 65536 bytes.");
      }
      return { type: "output", offset, bytes };
    case SCREEN:
      if (length > MAX_SCREEN_BYTES) throw new ProtocolError("A screen has at most 1 MiB.");
      return { type: "screen", offset, bytes };
    default:
      throw new ProtocolError("The first byte of a binary frame is 01 or 02.");
  }
}

/** Read a text frame of the server; null for a type that this client does not know. Throws ProtocolError. */
export function decodeText(text: string): ServerMessage | null {
  const fields = parseObject(text);
  const type = readString(fields, "type");
  switch (type) {
    case "welcome":
      return readWelcome(fields);
    case "input":
      return { type, input: readCount(fields, "input") };
    case "resync":
      return {
        type,
        reason: readString(fields, "reason"),
        skipped: readCount(fields, "skipped"),
        offset: readCount(fields, "offset"),
        ...readSize(fields),
      };
    case "state":
      return { type, state: readWord(fields, "state", ["starting", "live", "ended"]) };
    case "command":
      return { type, command: readString(fields, "command") };
    case "size":
      return { type, offset: readCount(fields, "offset"), ...readSize(fields) };
    case "role":
      return {
        type,
        role: readWord(fields, "role", ["owner", "viewer"]),
        epoch: readCount(fields, "epoch"),
        reason: readString(fields, "reason"),
        input: fields.input === undefined ? null : readCount(fields, "input"),
      };
    case "input_enabled":
      return { type };
    case "people":
      return { type, viewers: readCount(fields, "viewers") };
    case "pong":
      return { type, t: readNumber(fields, "t") };
    case "notice":
      return { type, code: readString(fields, "code"), data: readData(fields, "data") };
    case "error":
      return {
        type,
        code: readString(fields, "code"),
        message: readString(fields, "message"),
        data: readData(fields, "data"),
      };
    case "ended":
      return {
        type,
        reason: readString(fields, "reason"),
        exitCode: typeof fields.exit_code === "number" ? fields.exit_code : null,
        message: readString(fields, "message"),
        data: readData(fields, "data"),
      };
    default:
      return null;
  }
}

function readWelcome(fields: Fields): Welcome {
  return {
    type: "welcome",
    session: readString(fields, "session"),
    role: readWord(fields, "role", ["owner", "viewer"]),
    epoch: readCount(fields, "epoch"),
    input: readCount(fields, "input"),
    offset: readCount(fields, "offset"),
    live: readCount(fields, "live"),
    ...readSize(fields),
    state: readWord(fields, "state", ["starting", "live", "ended"]),
    kind: readWord(fields, "kind", ["exec", "attach"]),
    inputEnabled: readBoolean(fields, "input_enabled"),
    command: readString(fields, "command"),
  };
}

function readSize(fields: Fields): GridSize {
  return { cols: readCount(fields, "cols"), rows: readCount(fields, "rows") };
}
