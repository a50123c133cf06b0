import { describe, expect, test } from "vitest";

import { applyModifiers, commandOf, type Key, touchKeyData } from "./keymap";

const NONE = { ctrl: false, alt: false };
const CTRL = { ctrl: true, alt: false };
const ALT = { ctrl: false, alt: true };

/** A key as "Ctrl-Shift-KeyC c". */
function key(description: string): Key {
  const [chord = "", typed = ""] = description.split(" ");
  const parts = chord.split("-");
  return {
    type: "keydown",
    code: parts.at(-1) ?? "",
    key: typed,
    ctrlKey: parts.includes("Ctrl"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
    metaKey: parts.includes("Meta"),
  };
}

describe("commandOf", () => {
  test.each([
    ["Ctrl-Shift-KeyC C", "copy"],
    ["Ctrl-Shift-KeyV V", "paste"],
    ["Ctrl-Shift-KeyF F", "find"],
    ["Ctrl-Shift-KeyK K", "palette"],
    ["Ctrl-Shift-Escape Escape", "leave"],
    ["Ctrl-Equal =", "font-larger"],
    ["Ctrl-Shift-Equal +", "font-larger"],
    ["Ctrl-NumpadAdd +", "font-larger"],
    ["Ctrl-Minus -", "font-smaller"],
    ["Ctrl-Digit0 0", "font-reset"],
    ["Alt-Digit1 1", "tab"],
    ["Alt-Digit9 9", "tab"],
  ])("names %s", (description, command) => {
    expect(commandOf(key(description), false)).toBe(command);
  });

  test.each([
    "Ctrl-KeyC c",
    "Ctrl-KeyV v",
    "Ctrl-KeyK k",
    "Ctrl-KeyW w",
    "Ctrl-Minus _",
    "Ctrl-Alt-Digit1 1",
    "Alt-Digit0 0",
    "Alt-KeyF f",
    "Escape Escape",
    "Shift-Tab Tab",
    "F1 F1",
    "KeyA a",
    "Meta-KeyC c",
  ])("leaves %s to the program", (description) => {
    expect(commandOf(key(description), false)).toBeNull();
  });

  test.each([
    ["Meta-KeyC c", "copy"],
    ["Meta-KeyV v", "paste"],
    ["Meta-KeyF f", "find"],
    ["Meta-KeyK k", "palette"],
    ["Meta-Equal =", "font-larger"],
    ["Meta-Minus -", "font-smaller"],
    ["Meta-Digit0 0", "font-reset"],
    ["Ctrl-Shift-Escape Escape", "leave"],
    ["Ctrl-KeyC c", null],
    ["Meta-KeyQ q", null],
  ])("knows a Mac's %s", (description, command) => {
    expect(commandOf(key(description), true)).toBe(command);
  });
});

describe("touchKeyData", () => {
  test.each([
    ["escape", NONE, false, "\x1b"],
    ["tab", NONE, false, "\t"],
    ["pipe", NONE, false, "|"],
    ["slash", NONE, false, "/"],
    ["dash", NONE, false, "-"],
    ["up", NONE, false, "\x1b[A"],
    ["up", NONE, true, "\x1bOA"],
    ["left", CTRL, true, "\x1b[1;5D"],
    ["right", ALT, false, "\x1b[1;3C"],
    ["end", NONE, false, "\x1b[F"],
    ["page-up", NONE, false, "\x1b[5~"],
    ["page-down", CTRL, false, "\x1b[6;5~"],
  ] as const)("%s with %o sends what a keyboard would", (name, held, isApplication, data) => {
    expect(touchKeyData(name, held, isApplication)).toBe(data);
  });
});

describe("applyModifiers", () => {
  test.each([
    ["c", CTRL, "\x03"],
    ["C", CTRL, "\x03"],
    ["[", CTRL, "\x1b"],
    [" ", CTRL, "\0"],
    ["/", CTRL, "\x1f"],
    ["x", ALT, "\x1bx"],
    ["c", { ctrl: true, alt: true }, "\x1b\x03"],
    ["1", CTRL, "1"],
    ["c", NONE, "c"],
    ["\x1b[A", CTRL, "\x1b[A"],
    ["容器", ALT, "容器"],
  ])("turns %j with %o into %j", (data, held, expected) => {
    expect(applyModifiers(data, held)).toBe(expected);
  });
});
