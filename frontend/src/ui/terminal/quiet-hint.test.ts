// @vitest-environment happy-dom
import { nextTick } from "vue";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { INITIAL_SNAPSHOT, type SessionSnapshot } from "@/terminal/session-state";
import { mountWithApp } from "@/ui/testing/mount-with-app";
import QuietHint from "./quiet-hint.vue";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIVE = { phase: { state: "live" }, role: "owner", kind: "exec" } as const;

function hint(change: Partial<SessionSnapshot>, locale = "en") {
  const snapshot = { ...INITIAL_SNAPSHOT, ...LIVE, ...change };
  return mountWithApp(QuietHint, { props: { snapshot }, locale }).wrapper;
}

async function after(ms: number) {
  vi.advanceTimersByTime(ms);
  await nextTick();
}

test("a terminal that stays empty says so after a while, until the first byte", async () => {
  const wrapper = hint({});
  await after(2_000);
  expect(wrapper.text()).toBe("");

  await after(1_000);
  expect(wrapper.text()).toContain("press Enter");

  await wrapper.setProps({ snapshot: { ...INITIAL_SNAPSHOT, ...LIVE, hasOutput: true } });
  expect(wrapper.text()).toBe("");
});

test.each([
  [{ kind: "attach" }, "en", "appears here"],
  [{ kind: "attach", isInputEnabled: true }, "en", "reaches it"],
  [{ role: "viewer" }, "en", "watching"],
  [{ kind: "attach" }, "zh-Hans", "显示在这里"],
  [{}, "zh-Hans", "按回车"],
] as const)("the words fit to %o in %s", async (change, locale, words) => {
  const wrapper = hint(change, locale);
  await after(3_000);

  expect(wrapper.text()).toContain(words);
});

test.each([{ phase: { state: "starting" } }, { hasOutput: true }] as const)(
  "nothing is said of %o",
  async (change) => {
    const wrapper = hint(change);
    await after(10_000);

    expect(wrapper.text()).toBe("");
  },
);
