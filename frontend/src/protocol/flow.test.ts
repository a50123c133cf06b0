import { describe, expect, test } from "vitest";

import { seededRandom, utf8 } from "@/testing/fixtures";
import { ACK_BYTES, AckPolicy, INPUT_WINDOW_BYTES, InputLog } from "./flow";

const decoder = new TextDecoder();

function pieces(log: InputLog, maxBytes = 65_536): [number, string][] {
  return [...log.take(maxBytes)].map(({ offset, bytes }) => [offset, decoder.decode(bytes)]);
}

describe("AckPolicy", () => {
  test("asks for an acknowledgement after 16 KiB", () => {
    const policy = new AckPolicy();
    policy.reset(1000);

    expect(policy.rendered(1000 + ACK_BYTES - 1)).toBe(false);
    expect(policy.isPending).toBe(true);
    expect(policy.rendered(1000 + ACK_BYTES)).toBe(true);
    expect(policy.take()).toBe(1000 + ACK_BYTES);
    expect(policy.isPending).toBe(false);
  });

  test("never goes back", () => {
    const policy = new AckPolicy();
    policy.rendered(50);

    policy.rendered(20);

    expect(policy.take()).toBe(50);
  });
});

describe("InputLog", () => {
  test("numbers what is typed, and cuts it into frames", () => {
    const log = new InputLog();
    log.append(utf8("hello "));
    log.append(utf8("world"));

    expect(pieces(log, 4)).toEqual([
      [0, "hell"],
      [4, "o wo"],
      [8, "rld"],
    ]);
    expect(pieces(log)).toEqual([]);
  });

  test("sends at most 256 KiB beyond what is confirmed", () => {
    const log = new InputLog();
    log.append(new Uint8Array(INPUT_WINDOW_BYTES + 10));

    const sent = [...log.take(65_536)].reduce((sum, piece) => sum + piece.bytes.length, 0);
    expect(sent).toBe(INPUT_WINDOW_BYTES);

    log.confirm(7);
    expect(log.unsentBytes).toBe(10);
    expect([...log.take(65_536)].map((piece) => piece.bytes.length)).toEqual([7]);
  });

  test("sends what is unconfirmed again, from the byte that the server names", () => {
    const log = new InputLog();
    log.resume(0);
    log.append(utf8("abcdef"));
    pieces(log);
    log.confirm(2);

    log.resume(3);

    expect(pieces(log)).toEqual([[3, "def"]]);
    expect(log.pendingBytes).toBe(3);
  });

  test("numbers what was typed before the first welcome from where the server is", () => {
    const log = new InputLog();
    log.append(utf8("typed early"));

    log.resume(4);

    expect(pieces(log)).toEqual([[4, "typed early"]]);
  });

  test("goes on where a server that has forgotten the client begins", () => {
    const log = new InputLog();
    log.resume(0);
    log.append(utf8("0123456789"));
    pieces(log);
    log.confirm(6);

    log.resume(0);

    expect(pieces(log)).toEqual([[0, "6789"]]);
  });

  test("forgets what must not reach the container any more", () => {
    const log = new InputLog();
    log.resume(0);
    log.append(utf8("rm -rf"));

    log.discard();
    log.resume(2);
    log.append(utf8("ls"));

    expect(pieces(log)).toEqual([[2, "ls"]]);
  });

  test.each([1, 2, 3, 4, 5])("loses and doubles nothing, however it is cut (seed %i)", (seed) => {
    const random = seededRandom(seed);
    const upTo = (limit: number) => Math.floor(random() * limit);
    const log = new InputLog();
    let typed = "";
    let received = "";
    log.resume(0);
    for (let step = 0; step < 400; step += 1) {
      const text = String(step).repeat(upTo(4));
      typed += text;
      log.append(utf8(text));
      const arriving = upTo(3) === 0 ? upTo(3) : Infinity;
      let count = 0;
      for (const { offset, bytes } of log.take(1 + upTo(9))) {
        // A cut: the rest of what was sent never arrives.
        if (count++ >= arriving) continue;
        expect(offset).toBeLessThanOrEqual(received.length);
        received += decoder.decode(bytes).slice(received.length - offset);
      }
      if (arriving !== Infinity) log.resume(received.length);
      else if (upTo(2) === 0) log.confirm(received.length);
    }
    log.resume(received.length);
    for (const { bytes } of log.take(65_536)) received += decoder.decode(bytes);

    expect(received).toBe(typed);
  });
});
