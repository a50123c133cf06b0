import { expect, test } from "vitest";

import { INITIAL_SNAPSHOT } from "@/terminal/session-state";
import { attach, exec } from "./address";
import { MAX_TABS, requestOf, type Tab, Tabs } from "./tabs";

const WEB = { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" };
const API = { ...WEB, pod: "api-1" };

function memory() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

function opened(tab: Tab | null): Tab {
  if (tab === null) throw new Error("No tab was opened.");
  return tab;
}

test("what is open already is shown again, unless a new one is asked for", () => {
  const tabs = new Tabs(memory());
  const first = opened(tabs.open(exec(WEB)));

  expect(tabs.open(exec(WEB))?.id).toBe(first.id);
  expect(tabs.open(attach(WEB))?.id).not.toBe(first.id);
  expect(tabs.open(exec(WEB), true)?.id).not.toBe(first.id);
  expect(tabs.state.value.tabs).toHaveLength(3);
});

test("a session that ended is not what somebody means who opens a shell", () => {
  const tabs = new Tabs(memory());
  const first = opened(tabs.open(exec(WEB)));
  const phase = { state: "ended", reason: "exited", exitCode: 0, message: "", data: {} } as const;
  tabs.setStatus(first.id, { snapshot: { ...INITIAL_SNAPSHOT, phase } });

  expect(tabs.open(exec(WEB))?.id).not.toBe(first.id);
});

test("a session is found by its id, wherever it was opened", () => {
  const tabs = new Tabs(memory());
  const first = opened(tabs.open(exec(WEB)));
  tabs.setStatus(first.id, { snapshot: { ...INITIAL_SNAPSHOT, session: "s-1" } });

  expect(tabs.open({ ...exec(WEB), session: "s-1" })?.id).toBe(first.id);
  expect(tabs.open({ ...exec(WEB), session: "s-2" })?.id).not.toBe(first.id);
});

test("closing the active tab shows its neighbour", () => {
  const tabs = new Tabs(memory());
  const [first, second, third] = [WEB, API, { ...WEB, pod: "db-1" }].map((target) =>
    opened(tabs.open(exec(target))),
  );
  tabs.activate(second!.id);

  expect(tabs.close(second!.id)?.id).toBe(third!.id);
  expect(tabs.close(third!.id)?.id).toBe(first!.id);
  expect(tabs.close(first!.id)).toBeNull();
  expect(tabs.state.value.activeId).toBeNull();
});

test("a reload brings the tabs back under their names, asleep", () => {
  const storage = memory();
  const before = new Tabs(storage);
  const first = opened(before.open(exec(WEB)));
  before.open(exec(API));
  before.move(first.id, 1);

  const after = new Tabs(storage).state.value.tabs;

  expect(after.map(({ id }) => id)).toEqual(before.state.value.tabs.map(({ id }) => id));
  expect(after[1]?.opening).toEqual(exec(WEB));
  expect(after.every(({ status }) => status.isAsleep)).toBe(true);
});

test("broken memory is no tabs", () => {
  const storage = memory();
  storage.setItem("hatchway.tabs", "{nonsense");

  expect(new Tabs(storage).state.value.tabs).toEqual([]);
});

test("there is a limit", () => {
  const tabs = new Tabs(memory());
  for (let n = 0; n < MAX_TABS; n += 1) tabs.open(exec(WEB), true);

  expect(tabs.open(exec(WEB), true)).toBeNull();
});

test("a tab asks for what it was opened for", () => {
  expect(requestOf({ ...exec(WEB), session: "s-1", role: "viewer" }, false)).toEqual({
    kind: "resume",
    session: "s-1",
    role: "viewer",
  });
  expect(requestOf({ ...exec(WEB, "custom"), command: ["top"] }, true)).toMatchObject({
    shell: "custom",
    command: ["top"],
    isFresh: true,
  });
  expect(requestOf(attach(WEB), false)).toEqual({ kind: "attach", target: WEB, isFresh: false });
});
