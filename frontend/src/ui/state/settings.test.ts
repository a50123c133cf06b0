import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { parseSettings, SettingsStore } from "./settings";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function store(stored: string | null = null, languages: readonly string[] = ["en"]) {
  const kept = { text: stored };
  const storage = {
    getItem: () => kept.text,
    setItem: (_: string, text: string) => void (kept.text = text),
  };
  return { kept, store: new SettingsStore({ storage, languages }) };
}

test("the browser's language is the first choice", () => {
  expect(parseSettings(null, ["fr", "zh-CN", "en"]).locale).toBe("zh-hans");
  expect(parseSettings(null, ["fr"]).locale).toBe("en");
  expect(parseSettings({ locale: "zh-hans" }, ["en"]).locale).toBe("zh-hans");
});

test("what is wrong becomes the default", () => {
  const settings = parseSettings(
    { theme: "pink", sidebarWidth: 9, terminal: { fontSize: "x" } },
    [],
  );

  expect(settings).toMatchObject({
    theme: "system",
    sidebarWidth: 200,
    terminal: { fontSize: 13 },
  });
});

test("a change is kept in the browser at once, and on the server once things are quiet", async () => {
  const { kept, store: settings } = store();
  const save = vi.fn(() => Promise.resolve());
  settings.connect({}, save);

  settings.change({ theme: "dark" });
  settings.change({ theme: "light" });

  expect(JSON.parse(kept.text ?? "")).toMatchObject({ theme: "light" });
  expect(save).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  expect(save).toHaveBeenCalledExactlyOnceWith(settings.value.value);
});

test("what the server keeps wins over what the browser keeps", () => {
  const { store: settings } = store(JSON.stringify({ theme: "dark", locale: "en" }));

  settings.connect({ theme: "light" }, () => Promise.resolve());

  expect(settings.value.value).toMatchObject({ theme: "light", locale: "en" });
});

test("after signing out nothing is saved on the server", async () => {
  const { store: settings } = store();
  const save = vi.fn(() => Promise.resolve());
  settings.connect({}, save);
  settings.change({ theme: "dark" });

  settings.disconnect();
  await vi.advanceTimersByTimeAsync(1000);

  expect(save).not.toHaveBeenCalled();
});
