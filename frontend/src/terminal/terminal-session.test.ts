import { afterEach, describe, expect, test } from "vitest";

import { ApiError } from "@/api";
import { FakeServer } from "@/testing/fake-server";
import { seededRandom, utf8 } from "@/testing/fixtures";
import { disposeAll, settle, start, TARGET } from "@/testing/terminal-sessions";
import type { OpenRequest } from "./pane";

afterEach(disposeAll);

describe("opening", () => {
  test("asks for a ticket, says hello first, and is live after the welcome", async () => {
    const { server, phase, snapshot } = await start();

    expect(server.tickets).toEqual([
      { target: TARGET, kind: "exec", shell: "auto", command: null, force_debug: false },
    ]);
    expect(server.socket.subprotocols).toEqual(["hatchway.tty.v1", "hatchway.ticket.ticket-1"]);
    expect(server.socket.received[0]).toMatchObject({
      type: "hello",
      cols: 80,
      rows: 24,
      offset: null,
    });
    expect(server.socket.received[0]?.client).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
    expect(phase()).toEqual({ state: "live" });
    expect(snapshot()).toMatchObject({ session: server.session, role: "owner", kind: "exec" });
  });

  test("shows that the session is starting until the server says that it is live", async () => {
    const server = new FakeServer();
    server.welcome = { state: "starting" };
    const { phase } = await start(server);
    expect(phase()).toEqual({ state: "starting" });

    server.socket.sendText({ type: "state", state: "live" });

    expect(phase()).toEqual({ state: "live" });
  });

  test("gives up with the server's sentence when the ticket is refused", async () => {
    const server = new FakeServer();
    server.refusal = new ApiError(403, "forbidden", "Ask ops.", { owner: "ops" });
    const { phase } = await start(server);

    expect(phase()).toEqual({
      state: "failed",
      failure: { code: "forbidden", message: "Ask ops.", data: { owner: "ops" }, closeCode: null },
    });
    expect(server.clock.pending).toBe(0);
  });

  test("tries again when the server cannot be reached", async () => {
    const server = new FakeServer();
    server.refusal = new ApiError(0, "network", "No network.");
    const { phase } = await start(server);
    expect(phase()).toMatchObject({ state: "reconnecting", failure: { code: "network" } });

    server.refusal = null;
    server.clock.advance(1000);
    await settle();

    expect(phase()).toEqual({ state: "live" });
  });

  test("sends what was typed before the server was there", async () => {
    const server = new FakeServer();
    server.isSlow = true;
    const { type } = await start(server);
    type("early");

    server.socket.open();

    expect(server.input).toBe("early");
  });
});

describe("output", () => {
  test("is acknowledged when it is rendered, at once after 16 KiB and else within 100 ms", async () => {
    const { server, screen } = await start();
    screen.isBusy = true;

    server.write(new Uint8Array(16 * 1024).fill(65));
    expect(server.socket.ofType("ack")).toEqual([]);
    screen.render();
    expect(server.socket.ofType("ack")).toEqual([{ type: "ack", offset: 16_384 }]);

    server.write(utf8("$ "));
    screen.render();
    server.clock.advance(99);
    expect(server.socket.ofType("ack").length).toBe(1);
    server.clock.advance(1);
    expect(server.socket.ofType("ack").at(-1)).toEqual({ type: "ack", offset: 16_386 });
  });

  test("below `live` is a replay, to the byte", async () => {
    const server = new FakeServer();
    server.output = utf8("0123456789");
    server.welcome = { live: 4 };
    server.frameSize = 3;

    const { screen } = await start(server);

    expect(screen.text).toBe("0123456789");
    expect(screen.replayed).toBe("0123");
  });

  test("that is repeated or overlaps is drawn once", async () => {
    const { server, screen } = await start();
    server.write(utf8("abcdef"));

    server.socket.sendBytes(1, 0, utf8("abc"));
    server.socket.sendBytes(1, 4, utf8("efgh"));

    expect(screen.text).toBe("abcdefgh");
  });

  test("with a gap is asked for again, and given up when that does not help", async () => {
    const { server, screen, phase } = await start();
    server.write(utf8("abc"));

    server.socket.sendBytes(1, 9, utf8("far"));
    await settle();
    expect(screen.text).toBe("abc");
    expect(server.socket.received[0]).toMatchObject({ type: "hello", offset: 3 });

    for (let turn = 0; turn < 3; turn += 1) {
      server.socket.sendBytes(1, 99, utf8("far"));
      await settle();
      server.clock.advance(900);
      await settle();
      server.clock.advance(3100);
      await settle();
    }
    expect(phase()).toMatchObject({ state: "failed", failure: { code: "bad_frame" } });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "survives any cuts and repetitions (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const upTo = (limit: number) => Math.floor(random() * limit);
      const server = new FakeServer();
      const { screen } = await start(server);
      for (let step = 0; step < 60; step += 1) {
        server.frameSize = 1 + upTo(5);
        server.write(utf8(`${step},`.repeat(upTo(4))));
        const from = upTo(server.output.length + 1);
        server.sendOutput(server.socket, from, from + upTo(server.output.length - from + 1));
        if (upTo(4) === 0) {
          server.isReplaying = upTo(2) === 0;
          server.socket.close();
          await settle();
          server.clock.advance(16_000);
          await settle();
          if (!server.isReplaying) server.sendOutput(server.socket, screen.text.length);
        }
      }

      expect(screen.text).toBe(new TextDecoder().decode(server.output));
    },
  );
});

describe("input", () => {
  test("is numbered from 0 and kept until it is confirmed", async () => {
    const server = new FakeServer();
    server.isConfirming = false;
    const { type, snapshot } = await start(server);

    type("ls");
    type("\r");
    expect(server.socket.inputFrames.map(({ offset }) => offset)).toEqual([0, 2]);
    expect(snapshot().pendingInputBytes).toBe(3);

    server.socket.sendText({ type: "input", input: 3 });
    expect(snapshot().pendingInputBytes).toBe(0);
  });

  test("stays within the window, and goes on when the server confirms", async () => {
    const server = new FakeServer();
    server.isConfirming = false;
    const { session } = await start(server);

    session.type(new Uint8Array(300 * 1024).fill(65));
    expect(server.input.length).toBe(256 * 1024);

    server.socket.sendText({ type: "input", input: 100 * 1024 });
    expect(server.input.length).toBe(300 * 1024);
    expect(Math.max(...server.socket.inputFrames.map(({ bytes }) => bytes.length))).toBe(65_536);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])(
    "reaches the container exactly once when the line is cut after frame %i",
    async (arriving) => {
      const server = new FakeServer();
      server.isConfirming = false;
      const { type } = await start(server);
      const first = server.socket;
      for (const [at, key] of "abcdef".split("").entries()) {
        first.isDead = at >= arriving;
        type(key);
      }

      first.isDead = false;
      first.close();
      type("-while away-");
      await settle();
      type("g");

      expect(server.input).toBe("abcdef-while away-g");
    },
  );

  test("is not sent again after it was confirmed", async () => {
    const { server, type } = await start();
    type("once");
    server.socket.close();
    await settle();

    expect(server.input).toBe("once");
    expect(server.socket.inputFrames).toEqual([]);
  });

  test("of a viewer goes nowhere", async () => {
    const server = new FakeServer();
    server.welcome = { role: "viewer" };
    const { type } = await start(server);

    expect(type("rm -rf /\r")).toBe(false);
    expect(server.socket.inputFrames).toEqual([]);
  });

  test("of an attach goes nowhere until the person has confirmed and the server agrees", async () => {
    const server = new FakeServer();
    server.welcome = { kind: "attach", input_enabled: false };
    const request: OpenRequest = { kind: "attach", target: TARGET, isFresh: false };
    const { type, session, snapshot } = await start(server, { request });

    expect(type("\x03")).toBe(false);
    session.enableInput();
    expect(server.socket.ofType("enable_input").length).toBe(1);
    expect(type("x")).toBe(false);

    server.socket.sendText({ type: "input_enabled" });
    expect(snapshot().isInputEnabled).toBe(true);
    expect(type("y")).toBe(true);
    expect(server.input).toBe("y");
  });
});

describe("a resync", () => {
  const announce = { type: "resync", reason: "lagging", skipped: 1000, cols: 100, rows: 30 };

  test("replaces the screen, is acknowledged, and output goes on from there", async () => {
    const { server, screen, snapshot } = await start();
    server.write(utf8("old"));

    server.socket.sendText({ ...announce, offset: 1003 });
    server.socket.sendBytes(2, 1003, utf8("screen "));
    server.socket.sendBytes(1, 1003, utf8("new"));

    expect(screen.text).toBe("screen new");
    expect(screen.calls).toContain("resync 100 30 skipped 1000");
    expect(server.socket.ofType("ack")).toContainEqual({ type: "ack", offset: 1003 });
    expect(snapshot().skip).toEqual({ reason: "lagging", bytes: 1000 });
    server.clock.advance(100);
    expect(server.socket.ofType("ack").at(-1)).toEqual({ type: "ack", offset: 1006 });
  });

  test("that was not announced ends the client", async () => {
    const { server, phase } = await start();

    server.socket.sendBytes(2, 5, utf8("screen"));

    expect(phase()).toMatchObject({ state: "failed", failure: { code: "bad_frame" } });
  });
});

describe("roles", () => {
  test("a replaced owner watches in the session's size, and may take it back", async () => {
    const { server, screen, session, type, snapshot } = await start();
    server.isConfirming = false;
    type("half a li");

    server.socket.sendText({
      type: "role",
      role: "viewer",
      epoch: 2,
      reason: "replaced",
      input: 0,
    });
    expect(snapshot()).toMatchObject({ role: "viewer", isReplaced: true, pendingInputBytes: 0 });
    expect(type("ne")).toBe(false);
    server.socket.sendText({ type: "size", offset: 0, cols: 132, rows: 50 });
    expect(screen.calls).toContain("resize 132 50");
    session.resize({ cols: 90, rows: 20 });
    expect(server.socket.ofType("resize")).toEqual([]);

    session.take();
    expect(server.socket.ofType("take").length).toBe(1);
    server.socket.sendText({ type: "role", role: "owner", epoch: 3, reason: "taken", input: 9 });
    expect(snapshot()).toMatchObject({ role: "owner", isReplaced: false });
    expect(server.socket.ofType("resize")).toEqual([{ type: "resize", cols: 90, rows: 20 }]);
    type("x");
    expect(server.socket.inputFrames.at(-1)).toMatchObject({ offset: 9 });
  });

  test("a replaced owner whose line breaks comes back as a viewer, and may take it back", async () => {
    const { server, session, snapshot } = await start();
    server.socket.sendText({ type: "role", role: "viewer", epoch: 2, reason: "replaced" });
    server.welcome = { role: "viewer" };

    server.socket.close();
    await settle();

    expect(server.tickets.at(-1)).toEqual({ session: server.session, role: "viewer" });
    expect(snapshot()).toMatchObject({ role: "viewer", isReplaced: true });

    server.welcome = {};
    session.take();
    server.clock.advance(1000);
    await settle();
    expect(server.tickets.at(-1)).toEqual({ session: server.session, role: "owner" });
    expect(snapshot()).toMatchObject({ role: "owner", isReplaced: false });
  });

  test("a viewer's size changes at the offset that the server names", async () => {
    const server = new FakeServer();
    server.welcome = { role: "viewer", cols: 100, rows: 30 };
    const { screen } = await start(server);

    server.socket.sendText({ type: "size", offset: 3, cols: 50, rows: 10 });
    server.write(utf8("abcdef"));

    expect(screen.calls).toEqual(["resize 100 30", "write abc", "resize 50 10", "write def"]);
  });
});

describe("sizes", () => {
  test("of the owner are sent once each, the latest after a reconnect in hello", async () => {
    const { server, session, snapshot } = await start();

    session.resize({ cols: 100, rows: 30 });
    session.resize({ cols: 100, rows: 30 });
    expect(server.socket.ofType("resize")).toEqual([{ type: "resize", cols: 100, rows: 30 }]);
    expect(snapshot().size).toEqual({ cols: 100, rows: 30 });

    server.socket.close();
    session.resize({ cols: 110, rows: 31 });
    await settle();
    expect(server.socket.received[0]).toMatchObject({ type: "hello", cols: 110, rows: 31 });
    expect(server.socket.ofType("resize")).toEqual([]);
  });
});

describe("the end", () => {
  test("says why, with the exit code, and acknowledges what is rendered", async () => {
    const { server, phase } = await start();
    server.write(utf8("bye"));

    server.socket.sendText({
      type: "ended",
      reason: "exited",
      exit_code: 137,
      message: "Out of memory.",
      data: { offset: 3 },
    });
    const socket = server.socket;

    expect(phase()).toEqual({
      state: "ended",
      reason: "exited",
      exitCode: 137,
      message: "Out of memory.",
      data: { offset: 3 },
    });
    expect(socket.ofType("ack").at(-1)).toEqual({ type: "ack", offset: 3 });
    expect(server.clock.pending).toBe(0);
    server.promising.fire(undefined);
    await settle();
    expect(server.sockets.length).toBe(1);
  });

  test("is asked for over the socket, or over the API without one", async () => {
    const { server, session } = await start();
    session.end();
    expect(server.socket.ofType("end").length).toBe(1);

    server.refusal = new ApiError(0, "network", "No network.");
    server.socket.close();
    session.end();
    expect(server.ended).toEqual([server.session]);
  });

  test("of the view closes the socket and stops every timer", async () => {
    const { server, session } = await start();
    server.write(utf8("x"));

    session.dispose();

    expect(server.socket.isOpen).toBe(false);
    expect(server.clock.pending).toBe(0);
  });
});

test("a frame that breaks the contract ends this client with a sentence", async () => {
  const { server, phase } = await start();

  server.socket.sendText("no JSON");

  expect(phase()).toMatchObject({ state: "failed", failure: { code: "bad_frame" } });
  expect(server.socket.isOpen).toBe(false);
});

test("the round trip is measured, and people and notices are published", async () => {
  const { server, snapshot } = await start();
  server.socket.sendText({ type: "pong", t: server.clock.now() - 12 });
  server.socket.sendText({ type: "people", viewers: 2 });
  server.socket.sendText({ type: "notice", code: "idle_soon", data: { seconds: 60 } });

  expect(snapshot()).toMatchObject({
    roundTripMs: 12,
    viewers: 2,
    notice: { code: "idle_soon", data: { seconds: 60 } },
  });
});
