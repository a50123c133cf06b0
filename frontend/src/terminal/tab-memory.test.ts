import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { browserTabMemory, createClientName } from "./tab-memory";

const REMEMBERED = { what: "exec", session: "s", client: "c" };

class FakeStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

let storage: FakeStorage;

beforeEach(() => {
  storage = new FakeStorage();
  vi.stubGlobal("sessionStorage", storage);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a tab remembers per slot, and forgets", () => {
  browserTabMemory.save("tab-1", REMEMBERED);

  expect(browserTabMemory.load("tab-1")).toEqual(REMEMBERED);
  expect(browserTabMemory.load("tab-2")).toBeNull();
  browserTabMemory.forget("tab-1");
  expect(browserTabMemory.load("tab-1")).toBeNull();
});

test.each(["no JSON", "null", "7", '{"what":"exec","session":1,"client":"c"}'])(
  "what is not ours is nothing: %s",
  (text) => {
    storage.setItem("hatchway.terminal.tab-1", text);

    expect(browserTabMemory.load("tab-1")).toBeNull();
  },
);

test("a browser that forbids storage is no reason to fail", () => {
  vi.stubGlobal("sessionStorage", undefined);

  browserTabMemory.save("tab-1", REMEMBERED);

  expect(browserTabMemory.load("tab-1")).toBeNull();
});

test("without Web Locks every claim is granted", async () => {
  vi.stubGlobal("navigator", {});

  expect(await browserTabMemory.claim("c")).not.toBeNull();
});

test("a claim is refused while another page holds it, and granted after", async () => {
  const held = new Map<string, Promise<void>>();
  const request = (name: string, { signal }: { signal: AbortSignal }, run: () => Promise<void>) => {
    if (held.has(name)) {
      return new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(new DOMException("late", "AbortError"));
        });
      });
    }
    const done = run().then(() => void held.delete(name));
    held.set(name, done);
    return done;
  };
  vi.stubGlobal("navigator", { locks: { request } });
  vi.stubGlobal("AbortSignal", { timeout: () => abortSoon() });

  const first = await browserTabMemory.claim("c");
  expect(first).not.toBeNull();
  expect(await browserTabMemory.claim("c")).toBeNull();

  first?.dispose();
  await held.get("hatchway.client.c");
  expect(await browserTabMemory.claim("c")).not.toBeNull();
});

function abortSoon(): AbortSignal {
  const controller = new AbortController();
  queueMicrotask(() => {
    controller.abort();
  });
  return controller.signal;
}

test("names of views are random and what the wire allows", () => {
  const names = new Set(Array.from({ length: 50 }, createClientName));

  expect(names.size).toBe(50);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
});
