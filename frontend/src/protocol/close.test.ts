import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { adviceFor, mayReconnect } from "./close";

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| (4\d{3}) \| .* \| (yes|no)[^|]* \|$/gm)];

test("docs/protocol.md lists the close codes", () => {
  expect(rows.length).toBeGreaterThan(10);
});

test.each(rows.map(([, code, answer]) => [Number(code), answer === "yes"] as const))(
  "after %i a client reconnects by itself: %s",
  (code, expected) => {
    expect(mayReconnect(code)).toBe(expected);
  },
);

test.each([1001, 1006, 1012, 1013])("a client reconnects after %i too", (code) => {
  expect(mayReconnect(code)).toBe(true);
});

test("a normal end, a lost login and an old page are told apart", () => {
  expect([1000, 4401, 4426, 4999].map(adviceFor)).toEqual([
    "ended",
    "sign-in",
    "reload",
    "give-up",
  ]);
});
