// @vitest-environment happy-dom
import { flushPromises } from "@vue/test-utils";
import { afterEach, expect, test, vi } from "vitest";

import { mountWithApp } from "@/ui/testing/mount-with-app";
import type { MenuItem } from "./menu-item";
import PopupMenu from "./popup-menu.vue";

afterEach(() => {
  document.body.innerHTML = "";
});

async function open(items: readonly MenuItem[]) {
  const before = document.createElement("button");
  document.body.append(before);
  before.focus();
  const { wrapper } = mountWithApp(PopupMenu, {
    props: { items, place: { x: 10, y: 10 }, label: "Menu" },
  });
  await flushPromises();
  const press = async (key: string) => {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await flushPromises();
  };
  return { wrapper, before, press };
}

const text = () => document.activeElement?.textContent.trim();

test("arrow keys walk through the menu and around its ends", async () => {
  const run = () => undefined;
  const { press } = await open([
    { id: "a", label: "First", run },
    { id: "b", label: "Second", run },
  ]);

  expect(text()).toBe("First");
  await press("ArrowDown");
  expect(text()).toBe("Second");
  await press("ArrowDown");
  expect(text()).toBe("First");
  await press("End");
  expect(text()).toBe("Second");
});

test("Escape closes and gives the focus back", async () => {
  const { wrapper, before, press } = await open([
    { id: "a", label: "First", run: () => undefined },
  ]);

  await press("Escape");

  expect(wrapper.emitted("close")).toHaveLength(1);
  expect(document.activeElement).toBe(before);
});

test("what is refused says why and does nothing", async () => {
  const run = vi.fn();
  const { wrapper } = await open([{ id: "a", label: "Open", refusal: "Ask alice.", run }]);
  const item = document.querySelector<HTMLElement>("[role=menuitem]");

  item?.click();

  expect(item?.textContent).toContain("Ask alice.");
  expect(item?.getAttribute("aria-disabled")).toBe("true");
  expect(run).not.toHaveBeenCalled();
  expect(wrapper.emitted("close")).toBeUndefined();
});
