// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { INITIAL_SNAPSHOT, type SessionSnapshot } from "@/terminal/session-state";
import { mountWithApp } from "@/ui/testing/mount-with-app";
import StateStrip from "./state-strip.vue";

function strip(change: Partial<SessionSnapshot>, locale = "en") {
  const snapshot = { ...INITIAL_SNAPSHOT, ...change };
  return mountWithApp(StateStrip, { props: { snapshot }, locale }).wrapper;
}

const LIVE = { phase: { state: "live" } } as const;

test("a live session of one's own needs no words", () => {
  expect(strip({ ...LIVE, role: "owner", kind: "exec" }).text()).toBe("");
});

test("a lost connection counts down and can be tried at once", async () => {
  const phase = { state: "reconnecting", attempt: 1, retryAt: Date.now() + 2600, failure: null };
  const wrapper = strip({ phase: phase as SessionSnapshot["phase"] });

  expect(wrapper.text()).toContain("Reconnecting in 3 s");
  await wrapper.get("button").trigger("click");
  expect(wrapper.emitted("retry")).toHaveLength(1);
});

test("a replaced owner can take the session back, a guest cannot", () => {
  expect(strip({ ...LIVE, role: "viewer", isReplaced: true }).text()).toContain("Take back");
  expect(
    strip({ ...LIVE, role: "viewer" })
      .find("button")
      .exists(),
  ).toBe(false);
});

test("an attached session is read-only until its owner wants otherwise", () => {
  expect(strip({ ...LIVE, role: "owner", kind: "attach" }, "zh-Hans").text()).toContain("启用输入");
  expect(strip({ ...LIVE, role: "owner", kind: "attach", isInputEnabled: true }).text()).toBe("");
});
