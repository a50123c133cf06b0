import { expect, test } from "vitest";

import { formatFor } from "./use-format";

const MINUTE = 60_000;

test("ages and sizes are written as the language does", () => {
  const [en, zh] = [formatFor("en"), formatFor("zh-Hans")];

  expect(en.age(5 * MINUTE)).toBe("5m");
  expect(zh.age(5 * MINUTE)).toBe("5分钟");
  expect(en.duration(65 * MINUTE)).toBe("1 hr 5 min");
  expect(en.ago(3 * 24 * 60 * MINUTE)).toBe("3 days ago");
  expect(zh.ago(2 * MINUTE)).toBe("2分钟前");
  expect(en.bytes(12_582_912)).toBe("12.6 MB");
  expect(en.number(1204)).toBe("1,204");
});

test("a clock that is a little ahead gives no negative age", () => {
  expect(formatFor("en").age(-3000)).toBe("0s");
});
