import { expect, test } from "vitest";

import { splitArguments } from "./arguments";

test.each([
  ["python3 -i", ["python3", "-i"]],
  ["  a   b ", ["a", "b"]],
  [`sh -c "echo hi; exit 3"`, ["sh", "-c", "echo hi; exit 3"]],
  [`echo 'it''s' ""`, ["echo", "its", ""]],
  [String.raw`a\ b "q\"q" 'b\n'`, ["a b", 'q"q', String.raw`b\n`]],
  ["", []],
])("%s", (line, expected) => {
  expect(splitArguments(line)).toEqual(expected);
});

test("an open quote is not an argument yet", () => {
  expect(splitArguments(`sh -c "echo`)).toBeNull();
});
