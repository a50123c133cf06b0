import { expect, test } from "vitest";

import { Backoff } from "./backoff";

test("waits 0, 1, 2, 4, 8, 15, 15 seconds", () => {
  const backoff = new Backoff(() => 0.5);

  const waits = Array.from({ length: 7 }, () => backoff.next());

  expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  expect(backoff.attempts).toBe(7);
});

test.each([
  [0, 800],
  [1, 1200],
])("spreads by a fifth (random %d)", (random, expected) => {
  const backoff = new Backoff(() => random);
  backoff.next();

  expect(backoff.next()).toBe(expected);
});

test("begins again after a reset", () => {
  const backoff = new Backoff(() => 0.5);
  backoff.next();
  backoff.next();

  backoff.reset();

  expect(backoff.next()).toBe(0);
  expect(backoff.attempts).toBe(1);
});
