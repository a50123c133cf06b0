// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { nextOf } from "./router";

test.each([
  ["/sessions?scope=all", "/sessions?scope=all"],
  ["https://evil.example/", "/"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["javascript:alert(1)", "/"],
  [["/a", "/b"], "/"],
  [undefined, "/"],
])("after signing in %j leads to %s", (next, expected) => {
  expect(nextOf(next)).toBe(expected);
});
