import { expect, test } from "vitest";

import { addressOf, attach, exec, kubectlCommand, openingOf } from "./address";

const WEB = { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" };

test.each([
  exec(WEB),
  exec(WEB, "sh"),
  attach(WEB),
  { ...exec(WEB), session: "s-1" },
  { ...exec(WEB), session: "s-1", role: "viewer" as const },
])("an address says what its tab shows", (opening) => {
  const { params, query } = addressOf(opening) as unknown as {
    params: Record<string, string>;
    query: Record<string, string>;
  };

  expect(openingOf(params, query)).toEqual(opening);
});

test("no address runs a command", () => {
  const address = JSON.stringify(addressOf({ ...exec(WEB, "custom"), command: ["shutdown"] }));

  expect(address).not.toContain("shutdown");
  expect(openingOf(WEB, { shell: "custom", command: "shutdown" })).toEqual(exec(WEB));
});

test("the same with kubectl", () => {
  expect(kubectlCommand(WEB)).toBe("kubectl --context demo -n shop exec -it web-1 -c web -- sh");
});
