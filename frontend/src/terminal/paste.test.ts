import { expect, test } from "vitest";

import { encodePaste, MAX_PASTE_BYTES, planPaste } from "./paste";

const decoder = new TextDecoder();

/** What arrives at the program for what was in the clipboard. */
function pasted(raw: string, isBracketed = true): string {
  const plan = planPaste(raw);
  if (plan.plan !== "paste") throw new Error(plan.plan);
  return decoder.decode(encodePaste(plan.text, isBracketed));
}

test.each([
  ["the end of a bracketed paste", "ls\x1b[201~\nrm -rf /", "ls[201~\rrm -rf /"],
  ["the same as a C1 character", "ls\x9b201~; rm", "ls201~; rm"],
  ["an escape alone", "a\x1bb", "ab"],
  ["an interrupt, an end of file, a suspend", "a\x03b\x04c\x1ad", "abcd"],
  ["a backspace that hides what comes before", "rm -rf /\b\b\b\bls", "rm -rf /ls"],
  ["NUL, DEL and a bell", "a\0b\x7fc\x07", "abc"],
  ["other C1 characters", "a\x84b\x85c\x90d\x9ce", "abcde"],
])("a paste cannot carry %s", (_name, raw, expected) => {
  expect(pasted(raw)).toBe(`\x1b[200~${expected}\x1b[201~`);
});

test.each([
  ["Unix", "a\nb\n", "a\rb\r"],
  ["Windows", "a\r\nb\r\n", "a\rb\r"],
  ["old Mac", "a\rb", "a\rb"],
  ["Unicode", "a\u2028b\u2029c", "a\rb\rc"],
])("newlines of %s become what Enter sends", (_name, raw, expected) => {
  expect(pasted(raw, false)).toBe(expected);
});

test("text of any language, tabs and emoji stay as they are", () => {
  expect(pasted("cat\t容器 é 🎉👩‍🚀", false)).toBe("cat\t容器 é 🎉👩‍🚀");
});

test("brackets stand around the text only when the program asked for them", () => {
  expect(pasted("ls", true)).toBe("\x1b[200~ls\x1b[201~");
  expect(pasted("ls", false)).toBe("ls");
});

test.each([
  ["ls", 1, false],
  ["ls\n", 2, true],
  ["ls\rpwd", 2, true],
  ["a\nb\nc", 3, true],
])("%j needs a question: %#", (raw, lines, needsAnswer) => {
  expect(planPaste(raw)).toMatchObject({ plan: "paste", lines, needsAnswer });
});

test("nothing but control characters is nothing", () => {
  expect(planPaste("\x1b\x00")).toEqual({ plan: "empty" });
  expect(planPaste("")).toEqual({ plan: "empty" });
});

test("more than 5 MiB is refused with both numbers", () => {
  expect(planPaste("x".repeat(MAX_PASTE_BYTES))).toMatchObject({ plan: "paste" });
  expect(planPaste("容".repeat(MAX_PASTE_BYTES / 2))).toEqual({
    plan: "refuse",
    bytes: (MAX_PASTE_BYTES / 2) * 3,
    max: MAX_PASTE_BYTES,
  });
});
