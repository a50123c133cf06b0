import { describe, expect, test } from "vitest";

import { DEFAULT_PREFERENCES, parsePreferences, withFontSize } from "./preferences";
import { coloursFor, TERMINAL_THEMES } from "./themes";

const OWN = {
  background: "#000000",
  foreground: "#ffffff",
  cursor: "#00ff00",
  selection: "#333333",
  ansi: Array.from({ length: 16 }, (_, index) => `#0000${index.toString(16).padStart(2, "0")}`),
};

describe("parsePreferences", () => {
  test("keeps what is good", () => {
    const good = {
      fontSize: 16,
      fontFamily: '"Fira Code", Sarasa-Mono, monospace',
      theme: "nord",
      ownColours: OWN,
      cursorStyle: "bar",
      isCursorBlinking: false,
      scrollback: 500,
      isScreenReaderMode: true,
      isCopyOnSelect: true,
    };

    expect(parsePreferences(JSON.parse(JSON.stringify(good)))).toEqual(good);
  });

  test.each([null, undefined, 7, "x", [], {}])("makes the default of %j", (stored) => {
    expect(parsePreferences(stored)).toEqual(DEFAULT_PREFERENCES);
  });

  test.each([
    ["fontSize", 1, 8],
    ["fontSize", 1000, 32],
    ["fontSize", 13.4, 13],
    ["fontSize", "13", 13],
    ["fontSize", null, 13],
    ["fontFamily", "x; } body { display: none", ""],
    ["fontFamily", "url(evil)", ""],
    ["fontFamily", "a".repeat(300), ""],
    ["theme", "../x", "auto"],
    ["cursorStyle", "beam", "block"],
    ["isCursorBlinking", "no", true],
    ["scrollback", -5, 0],
    ["scrollback", 1e9, 100_000],
    ["ownColours", { ...OWN, background: "red" }, null],
    ["ownColours", { ...OWN, ansi: OWN.ansi.slice(1) }, null],
    ["ownColours", { ...OWN, ansi: [...OWN.ansi.slice(1), "url(x)"] }, null],
  ])("corrects %s %j to %j", (name, stored, expected) => {
    expect(parsePreferences({ [name]: stored })).toEqual({
      ...DEFAULT_PREFERENCES,
      [name]: expected,
    });
  });
});

test("the font size stays within its limits", () => {
  expect(withFontSize(DEFAULT_PREFERENCES, 14).fontSize).toBe(14);
  expect(withFontSize(DEFAULT_PREFERENCES, 3).fontSize).toBe(8);
  expect(withFontSize(DEFAULT_PREFERENCES, 99).fontSize).toBe(32);
});

describe("themes", () => {
  test.each(TERMINAL_THEMES)("$id has every colour", ({ colours }) => {
    const { ansi, ...others } = colours;

    expect(ansi).toHaveLength(16);
    for (const colour of [...ansi, ...Object.values(others)]) {
      expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    }
  });

  test.each([
    ["auto", true, "hatchway-dark"],
    ["auto", false, "hatchway-light"],
    ["nord", false, "nord"],
    ["own", true, "hatchway-dark"],
    ["gone", true, "hatchway-dark"],
  ])("%s on a dark page (%s) is %s", (theme, isDark, id) => {
    const expected = TERMINAL_THEMES.find((candidate) => candidate.id === id)?.colours;

    expect(coloursFor({ ...DEFAULT_PREFERENCES, theme }, isDark)).toBe(expected);
  });

  test("own colours win when they are there", () => {
    const preferences = { ...DEFAULT_PREFERENCES, theme: "own", ownColours: OWN };

    expect(coloursFor(preferences, true)).toBe(OWN);
  });
});
