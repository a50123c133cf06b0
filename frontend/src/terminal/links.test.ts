import { afterEach, expect, test, vi } from "vitest";

import { openLink, safeLink } from "./links";

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each([
  ["https://example.org/a?b#c", "https://example.org/a?b#c"],
  ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"],
  ["HTTPS://Example.ORG/", "https://example.org/"],
])("%s may be opened", (text, expected) => {
  expect(safeLink(text)).toBe(expected);
});

test("an address is shown in the form that the browser will use", () => {
  expect(safeLink("https://ex\u0430mple.org/")).toBe("https://xn--exmple-4nf.org/");
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "  javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "file:///etc/passwd",
  "vbscript:x",
  "blob:https://example.org/1",
  "ftp://example.org/",
  "ssh://root@example.org",
  "tel:123",
  "/relative",
  "example.org",
  "",
  "https://bank.example@evil.example/",
  "https://user:password@example.org/",
  `https://example.org/${"a".repeat(3000)}`,
])("%j is refused", (text) => {
  const open = vi.fn();
  vi.stubGlobal("window", { open });

  openLink(text);

  expect(safeLink(text)).toBeNull();
  expect(open).not.toHaveBeenCalled();
});

test("a link opens in a new tab that knows nothing of this one", () => {
  const open = vi.fn();
  vi.stubGlobal("window", { open });

  openLink("https://example.org");

  expect(open).toHaveBeenCalledExactlyOnceWith(
    "https://example.org/",
    "_blank",
    "noopener,noreferrer",
  );
});
