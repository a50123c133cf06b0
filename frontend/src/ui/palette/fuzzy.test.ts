import { expect, test } from "vitest";

import { fuzzyFilter, fuzzyMatch } from "./fuzzy";

test("letters match in order, anywhere", () => {
  expect(fuzzyMatch("wb", "web")?.marks).toEqual([0, 2]);
  expect(fuzzyMatch("bw", "web")).toBeNull();
});

test("words may stand in any order", () => {
  expect(fuzzyMatch("shop web", "web-1 demo · shop")).not.toBeNull();
});

test("a whole word at a boundary beats scattered letters", () => {
  const found = fuzzyFilter("web", ["wide-belt", "my-web-1", "worker-x-b"], (name) => name, 10);

  expect(found[0]?.item).toBe("my-web-1");
});

test("no more than asked for", () => {
  expect(fuzzyFilter("a", ["a", "aa", "aaa"], (name) => name, 2)).toHaveLength(2);
});
