import { expect, test } from "vitest";

import { adviceOf } from "./advice";

test.each([
  ["forbidden", null, "askSomebody"],
  ["signed_out", null, "signIn"],
  ["cluster_pod_not_found", null, "elsewhere"],
  ["cluster_cluster_unreachable", null, "again"],
  ["close_4401", 4401, "signIn"],
  ["close_4403", 4403, "askSomebody"],
  ["close_4410", 4410, "elsewhere"],
  ["close_4426", 4426, "reload"],
] as const)("%s leads to %s: %s", (code, closeCode, expected) => {
  expect(adviceOf({ code, closeCode, message: "", data: {} })).toBe(expected);
});
