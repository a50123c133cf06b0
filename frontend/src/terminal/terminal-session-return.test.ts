import { afterEach, describe, expect, test } from "vitest";

import { ApiError } from "@/api";
import { FakeServer } from "@/testing/fake-server";
import { utf8 } from "@/testing/fixtures";
import { disposeAll, EXEC, settle, start } from "@/testing/terminal-sessions";
import type { OpenRequest } from "./pane";

afterEach(disposeAll);

describe("a lost connection", () => {
  test("is resumed at the next byte with the same name", async () => {
    const { server, screen, phase } = await start();
    server.write(utf8("before "));
    const client = server.socket.received[0]?.client;

    server.socket.close();
    expect(phase()).toMatchObject({ state: "reconnecting", attempt: 1 });
    server.write(utf8("meanwhile"));
    await settle();

    expect(server.tickets.at(-1)).toEqual({ session: server.session, role: "owner" });
    expect(server.socket.received[0]).toMatchObject({ type: "hello", client, offset: 7 });
    expect(screen.text).toBe("before meanwhile");
    expect(screen.replayed).toBe("meanwhile");
    expect(phase()).toEqual({ state: "live" });
  });

  test("is tried again after 0, 1, 2, 4, 8, 15, 15 seconds, and from the start once it was healthy", async () => {
    const { server, phase } = await start();
    const waits = () => {
      const now = phase();
      return now.state === "reconnecting" ? now.retryAt - server.clock.now() : null;
    };
    server.refusal = new ApiError(0, "network", "No network.");
    server.socket.close();
    await settle();
    const seen: (number | null)[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      seen.push(waits());
      server.clock.advance(waits() ?? 0);
      await settle();
    }
    expect(seen).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);

    server.refusal = null;
    server.clock.advance(15_000);
    await settle();
    server.clock.advance(1000);
    server.socket.close();
    await settle();
    expect(phase()).toEqual({ state: "live" });
  });

  test("that breaks at once every time is not tried without a pause", async () => {
    const { server, phase } = await start();
    server.socket.close();
    await settle();

    server.socket.close();

    expect(phase()).toMatchObject({ state: "reconnecting", attempt: 2 });
  });

  test("without a close is noticed after 10 seconds of silence", async () => {
    const { server, phase } = await start();
    server.socket.isDead = true;

    server.clock.advance(14_900);
    expect(phase()).toEqual({ state: "live" });
    server.clock.advance(200);
    await settle();

    expect(server.sockets.length).toBe(2);
    expect(phase()).toEqual({ state: "live" });
  });

  test("is not assumed while output still comes", async () => {
    const { server } = await start();
    server.handle = () => undefined;

    for (let second = 0; second < 60; second += 1) {
      server.write(utf8("."));
      server.clock.advance(1000);
      await settle();
    }

    expect(server.sockets.length).toBe(1);
  });

  test("is tried at once when the machine comes online", async () => {
    const { server, phase } = await start();
    server.refusal = new ApiError(0, "network", "No network.");
    server.offline.fire(undefined);
    await settle();
    server.clock.advance(1000);
    await settle();
    expect(phase()).toMatchObject({ state: "reconnecting", attempt: 3 });

    server.refusal = null;
    server.promising.fire(undefined);
    await settle();

    expect(phase()).toEqual({ state: "live" });
  });

  test("ends for good when the session has ended meanwhile", async () => {
    const { server, phase, memory } = await start();
    server.refusal = new ApiError(409, "ended", "Over.", {
      end_reason: "detached",
      sentence: "It is over.",
    });

    server.socket.close();
    await settle();

    expect(phase()).toMatchObject({ state: "ended", reason: "detached", message: "It is over." });
    expect(memory.remembered.size).toBe(0);
  });

  test.each([
    [4401, "close_4401"],
    [4403, "close_4403"],
    [4426, "close_4426"],
    [4429, "close_4429"],
  ])("with code %i is not tried again", async (code, expected) => {
    const { server, phase } = await start();

    server.socket.close(code, "No.");
    server.clock.advance(60_000);
    await settle();

    expect(phase()).toMatchObject({
      state: "failed",
      failure: { code: expected, closeCode: code, message: "No." },
    });
    expect(server.sockets.length).toBe(1);
  });

  test("names what the server said before it closed", async () => {
    const { server, phase } = await start();

    server.socket.sendText({ type: "error", code: "bad_frame", message: "Why.", data: { a: 1 } });
    server.socket.close(4400);

    expect(phase()).toMatchObject({
      state: "failed",
      failure: { code: "bad_frame", message: "Why.", data: { a: 1 }, closeCode: 4400 },
    });
  });
});

describe("a reloaded page", () => {
  test("comes back to the same session with the same name, and asks for everything", async () => {
    const server = new FakeServer();
    const first = await start(server);
    first.type("abc");
    server.write(utf8("abc"));
    const client = server.socket.received[0]?.client;
    first.session.dispose();

    const second = await start(server, { memory: first.memory });
    second.type("def");

    expect(server.tickets.at(-1)).toEqual({ session: server.session, role: "owner" });
    expect(server.socket.received[0]).toMatchObject({ client, offset: null });
    expect(second.screen.replayed).toBe("abc");
    expect(server.input).toBe("abcdef");
  });

  test("starts anew when the session is unknown", async () => {
    const server = new FakeServer();
    const { memory, session } = await start(server);
    session.dispose();
    const ticket = server.api.ticket;
    server.api.ticket = (request) =>
      "session" in request
        ? Promise.reject(new ApiError(404, "not_found", "No such session."))
        : ticket(request);

    const { phase } = await start(server, { memory });

    expect(server.tickets.at(-1)).toMatchObject({ kind: "exec" });
    expect(phase()).toEqual({ state: "live" });
  });

  test.each([
    ["another shell", { ...EXEC, shell: "sh" as const }, "tab-1"],
    ["a fresh start", { ...EXEC, isFresh: true }, "tab-1"],
    ["another tab", EXEC, "tab-2"],
  ] satisfies [string, OpenRequest, string][])(
    "starts something new for %s",
    async (_name, request, slot) => {
      const server = new FakeServer();
      const { memory, session } = await start(server);
      session.dispose();

      await start(server, { memory, request, slot });

      expect(server.tickets.at(-1)).toMatchObject({ kind: "exec" });
    },
  );

  test("starts anew after the session has ended", async () => {
    const server = new FakeServer();
    const { memory } = await start(server);
    server.socket.sendText({ type: "ended", reason: "exited", exit_code: 0, message: "Bye." });

    await start(server, { memory });

    expect(server.tickets.at(-1)).toMatchObject({ kind: "exec" });
  });
});

describe("a duplicated tab", () => {
  const duplicate = async () => {
    const server = new FakeServer();
    const first = await start(server);
    const copy = await start(server, { memory: first.memory });
    return { server, first, copy };
  };

  test("asks before it touches the session of the first one", async () => {
    const { server, copy, first } = await duplicate();

    expect(copy.phase()).toEqual({ state: "duplicate" });
    expect(server.sockets.length).toBe(1);
    expect(first.phase()).toEqual({ state: "live" });
  });

  test.each([
    ["watch", { session: "8f14e45f-ceea-467f-9575-25ce1f9b0000", role: "viewer" }],
    ["take", { session: "8f14e45f-ceea-467f-9575-25ce1f9b0000", role: "owner" }],
    ["fresh", { kind: "exec" }],
  ] as const)("may %s, under a name of its own", async (choice, expected) => {
    const { server, copy } = await duplicate();

    copy.session.resolveDuplicate(choice);
    await settle();

    expect(server.tickets.at(-1)).toMatchObject(expected);
    const [one, two] = server.sockets.map((socket) => socket.received[0]?.client);
    expect(two).not.toBe(one);
  });
});
