import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import en from "./en.json";
import zhHans from "./zh-hans.json";

const SOURCES = fileURLToPath(new URL("../", import.meta.url));

/** Names that Chinese operators write as they are. */
const SAME_IN_BOTH = new Set([
  "language.en",
  "language.zh-hans",
  "place.pod",
  "shell.bash",
  "shell.bashLong",
  "shell.label",
  "shell.sh",
  "shell.shLong",
]);

/** Chosen by what the server says: `error.<code>`, `reason.<code>`, `end.<reason>` and the like. */
const CHOSEN_AT_RUN_TIME = /^(error|end|exit|grantAction|reason|state|title)\./;

function flatten(node: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
      typeof value === "string"
        ? [[prefix + key, value] as const]
        : [...flatten(value as object, `${prefix}${key}.`)],
    ),
  );
}

function sources(): string {
  return readdirSync(SOURCES, { recursive: true, encoding: "utf-8" })
    .filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(SOURCES + name, "utf-8"))
    .join("\n");
}

const english = flatten(en);
const chinese = flatten(zhHans);
const text = sources();
const literals = new Set([...text.matchAll(/["'`]([\w-]+(?:\.[\w-]+)+)["'`]/g)].map((m) => m[1]!));
const patterns = [...text.matchAll(/`([\w-]+\.(?:[\w.-]|\$\{[^`}]*\})*)`/g)]
  .map((match) => match[1]!)
  .filter((pattern) => pattern.includes("${"))
  .map(
    (pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replace(/\$\{[^}]*\}/g, ".+")}$`),
  );

/** Names of placeholders, sorted. */
function placeholders(message: string): string[] {
  return [...new Set([...message.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!))].sort();
}

test("both catalogues have the same keys", () => {
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
});

test("every key that the interface names exists", () => {
  const called = [...text.matchAll(/\bt\(\s*["'`]([\w-]+(?:\.[\w-]+)+)["'`]/g)].map((m) => m[1]!);

  expect(called.length).toBeGreaterThan(150);
  expect(called.filter((key) => !english.has(key))).toEqual([]);
});

test("every key is used", () => {
  const unused = [...english.keys()].filter(
    (key) =>
      !literals.has(key) &&
      !CHOSEN_AT_RUN_TIME.test(key) &&
      !patterns.some((pattern) => pattern.test(key)),
  );

  expect(unused).toEqual([]);
});

test("every message is translated", () => {
  const same = [...english].filter(
    ([key, message]) => !SAME_IN_BOTH.has(key) && chinese.get(key) === message,
  );
  const withoutChinese = [...chinese].filter(
    ([key, message]) =>
      !SAME_IN_BOTH.has(key) &&
      key !== "nav.language" &&
      /[a-z]{2}/.test(message.replace(/\{\w+\}/g, "")) &&
      !/\p{Script=Han}/u.test(message),
  );

  expect(same).toEqual([]);
  expect(withoutChinese).toEqual([]);
});

test("a translation has the placeholders of its original", () => {
  const different = [...english].filter(
    ([key, message]) =>
      placeholders(message).join() !== placeholders(chinese.get(key) ?? "").join(),
  );

  expect(different.map(([key]) => key)).toEqual([]);
});
