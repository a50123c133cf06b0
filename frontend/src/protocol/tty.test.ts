import { describe, expect, test } from "vitest";

import { fromHex, readFixtures, toHex } from "@/testing/fixtures";
import { ProtocolError } from "./fields";
import {
  type ClientMessage,
  decodeBinary,
  decodeText,
  encodeInput,
  encodeMessage,
  MAX_PAYLOAD_BYTES,
  MAX_SCREEN_BYTES,
} from "./tty";

/** What a server frame means, in the words of this codec. */
function inOurWords(meaning: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meaning).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

describe("binary frames", () => {
  test.each(readFixtures("tty/binary", "client"))("are written: $name", ({ hex, meaning }) => {
    const frame = encodeInput(meaning!.offset as number, fromHex(meaning!.hex as string));

    expect(toHex(frame)).toBe(hex!.replaceAll(" ", ""));
  });

  test.each(readFixtures("tty/binary", "server"))("are read: $name", ({ hex, meaning }) => {
    const { type, offset, bytes } = decodeBinary(fromHex(hex!).buffer);

    expect({ type, offset, hex: toHex(bytes) }).toEqual(meaning);
  });

  test.each(readFixtures("tty/binary-refused", "server"))("are refused: $name", ({ hex }) => {
    expect(() => decodeBinary(fromHex(hex!).buffer)).toThrow(ProtocolError);
  });

  test("carry at most 64 KiB of output and 1 MiB of screen", () => {
    const frame = (first: number, length: number) => {
      const bytes = new Uint8Array(9 + length);
      bytes[0] = first;
      return bytes.buffer;
    };

    expect(decodeBinary(frame(1, MAX_PAYLOAD_BYTES)).bytes.length).toBe(MAX_PAYLOAD_BYTES);
    expect(() => decodeBinary(frame(1, MAX_PAYLOAD_BYTES + 1))).toThrow(ProtocolError);
    expect(decodeBinary(frame(2, MAX_SCREEN_BYTES)).bytes.length).toBe(MAX_SCREEN_BYTES);
    expect(() => decodeBinary(frame(2, MAX_SCREEN_BYTES + 1))).toThrow(ProtocolError);
  });

  test("are not written when the server would refuse them", () => {
    expect(() => encodeInput(0, new Uint8Array())).toThrow(RangeError);
    expect(() => encodeInput(0, new Uint8Array(MAX_PAYLOAD_BYTES + 1))).toThrow(RangeError);
    expect(() => encodeInput(-1, new Uint8Array(1))).toThrow(RangeError);
    expect(() => encodeInput(2 ** 53, new Uint8Array(1))).toThrow(RangeError);
  });
});

describe("text frames", () => {
  test.each(readFixtures("tty/client", "client"))("are written: $name", ({ meaning }) => {
    const text = encodeMessage(meaning as unknown as ClientMessage);

    expect(JSON.parse(text)).toEqual(meaning);
  });

  test.each(readFixtures("tty/server", "server"))("are read: $name", ({ text, meaning }) => {
    expect(decodeText(text!)).toEqual(inOurWords(meaning!));
  });

  test.each(readFixtures("tty/text-refused", "server"))("are refused: $name", ({ text }) => {
    expect(() => decodeText(text!)).toThrow(ProtocolError);
  });

  test("of an unknown type, and unknown keys, are ignored", () => {
    expect(decodeText('{"type":"weather","sun":true}')).toBeNull();
    expect(decodeText('{"type":"people","viewers":1,"names":["bob"]}')).toEqual({
      type: "people",
      viewers: 1,
    });
  });
});
