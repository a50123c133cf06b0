// @vitest-environment happy-dom
import { defineComponent, h } from "vue";
import { expect, test } from "vitest";

import { mountWithApp } from "@/ui/testing/mount-with-app";
import { useErrorText } from "./use-error-text";

function texts(locale: string) {
  let found: ReturnType<typeof useErrorText> | undefined;
  const Probe = defineComponent({
    setup() {
      found = useErrorText();
      return () => h("p");
    },
  });
  mountWithApp(Probe, { locale });
  return found!;
}

const SENTENCE =
  "You may not debug here. Your grants for this container do not allow this. Ask olga.";
const BECAUSE = { code: "no_action", data: { action: "debug", owner: "olga" } };

test("a reason is told in the language of the page, with whom to ask", () => {
  expect(texts("zh-Hans").reasonText(BECAUSE, SENTENCE)).toBe(
    "你对这个容器的授权不允许此操作。请联系 olga。",
  );
  expect(texts("en").reasonText(BECAUSE, SENTENCE)).toBe(SENTENCE);
});

test("a cluster's refusal names what is missing, and a state its own word", () => {
  const { reasonText } = texts("zh-Hans");
  const data = { verb: "create", resource: "pods/exec", namespace: "shop", user: "alice" };

  expect(reasonText({ code: "rbac", data }, "")).toBe(
    "集群不允许：alice 在命名空间 shop 中缺少对 pods/exec 的 create 权限。",
  );
  expect(reasonText({ code: "container_in_state", data: { word: "Error" } }, "")).toBe(
    "容器未在运行（Error）。",
  );
  expect(reasonText({ code: "cluster_node_unreachable", data: {} }, "")).toContain("没有响应");
});

test("what has no code or an unknown one stays as the server says it", () => {
  const { reasonText } = texts("zh-Hans");

  expect(reasonText(null, "As it is.")).toBe("As it is.");
  expect(reasonText({ code: "from_the_future", data: {} }, "As it is.")).toBe("As it is.");
});

test("an error with a reason tells that and not its general code", () => {
  const error = {
    code: "too_many",
    message: "",
    data: { because: { code: "sockets_limit", data: { limit: 40 } } },
  };

  expect(texts("zh-Hans").errorText(error)).toContain("40");
});
