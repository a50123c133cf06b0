import { describe, expect, test } from "vitest";

import type { Pod } from "@/protocol/targets";
import { filterTree } from "./filter";
import type { Tree } from "./tree";
import { findPod, TreeModel } from "./tree-model";

function pod(name: string, change: Partial<Pod> = {}): Pod {
  return {
    uid: `uid-${name}`,
    namespace: "shop",
    name,
    node: "demo-1",
    phase: "Running",
    status: "Running",
    ready: 1,
    total: 1,
    restarts: 0,
    created: "2026-11-21T09:00:00Z",
    labels: { app: "web" },
    workload: { kind: "Deployment", name: "web" },
    containers: [
      {
        name: "main",
        image: "demo/web:1.4",
        type: "main",
        state: "running",
        ready: true,
        restarts: 0,
        reason: "",
        exit_code: null,
        started: null,
        tty: false,
        stdin: false,
        may: ["exec"],
        why: {},
        because: {},
      },
    ],
    ...change,
  };
}

function live(pods: Pod[], namespaces = ["shop"]): TreeModel {
  const model = new TreeModel();
  model.setClusters(["demo"]);
  model.apply({
    type: "cluster",
    cluster: "demo",
    state: "live",
    message: "",
    because: null,
    namespaces,
  });
  model.apply({ type: "pods", cluster: "demo", reset: true, pods });
  return model;
}

/** The tree as paths. */
function paths(tree: Tree): string[] {
  return tree.clusters.flatMap((cluster) =>
    cluster.namespaces.flatMap((namespace) =>
      namespace.workloads.flatMap((workload) =>
        workload.pods.map(({ pod: { name } }) =>
          [cluster.name, namespace.name, workload.kind, workload.name, name].join("/"),
        ),
      ),
    ),
  );
}

describe("TreeModel", () => {
  test("sorts by name, numbers as numbers, whatever the order of arrival", () => {
    const workload = { kind: "StatefulSet", name: "db" };
    const model = live([
      pod("db-10", { workload }),
      pod("web-b"),
      pod("db-2", { workload }),
      pod("web-a"),
      pod("alone", { workload: null }),
      pod("api", { namespace: "billing", workload: null }),
    ]);

    expect(paths(model.build())).toEqual([
      "demo/billing/Pod/api/api",
      "demo/shop/Pod/alone/alone",
      "demo/shop/StatefulSet/db/db-2",
      "demo/shop/StatefulSet/db/db-10",
      "demo/shop/Deployment/web/web-a",
      "demo/shop/Deployment/web/web-b",
    ]);
  });

  test("shows clusters and namespaces without pods too", () => {
    const model = live([], ["empty", "shop"]);
    model.setClusters(["demo", "other"]);

    const { clusters } = model.build();

    expect(clusters.map(({ name, state }) => [name, state])).toEqual([
      ["demo", "live"],
      ["other", "connecting"],
    ]);
    expect(clusters[0]?.namespaces.map(({ name }) => name)).toEqual(["empty", "shop"]);
  });

  test("makes new objects only on the way to what changed", () => {
    const model = live([
      pod("web-a"),
      pod("web-b"),
      pod("db", { workload: { kind: "StatefulSet", name: "db" } }),
      pod("api", { namespace: "billing" }),
    ]);
    const before = model.build();

    model.apply({
      type: "pods",
      cluster: "demo",
      reset: false,
      pods: [pod("web-a", { restarts: 1 })],
    });

    const after = model.build();
    expect(after).not.toBe(before);
    const [billing, shop] = before.clusters[0]!.namespaces;
    const [billingNow, shopNow] = after.clusters[0]!.namespaces;
    expect(billingNow).toBe(billing);
    expect(shopNow).not.toBe(shop);
    expect(shopNow!.workloads[0]).toBe(shop!.workloads[0]);
    expect(shopNow!.workloads[1]!.pods[0]!.pod.restarts).toBe(1);
    expect(shopNow!.workloads[1]!.pods[1]).toBe(shop!.workloads[1]!.pods[1]);
  });

  test("stays the same object when nothing changed", () => {
    const model = live([pod("web-a")]);
    const before = model.build();

    expect(model.build()).toBe(before);
  });

  test("forgets what a reset does not name, and keeps the nodes of what it does", () => {
    const model = live([pod("web-a"), pod("web-b")]);
    const kept = model.pod("demo", "uid-web-a");

    model.apply({ type: "pods", cluster: "demo", reset: true, pods: [pod("web-a")] });
    model.apply({ type: "pods", cluster: "demo", reset: false, pods: [pod("web-c")] });

    expect(paths(model.build())).toEqual([
      "demo/shop/Deployment/web/web-a",
      "demo/shop/Deployment/web/web-c",
    ]);
    expect(model.pod("demo", "uid-web-a")).toBe(kept);
    expect(model.pod("demo", "uid-web-b")).toBeUndefined();
  });

  test("drops pods that are gone, with workloads and namespaces that were theirs alone", () => {
    const model = live([pod("web-a"), pod("api", { namespace: "billing" })]);

    model.apply({ type: "gone", cluster: "demo", pods: ["uid-web-a", "uid-api", "unknown"] });

    const [demo] = model.build().clusters;
    expect(demo).toMatchObject({ podCount: 0, namespaces: [{ name: "shop", workloads: [] }] });
    expect(demo?.namespaces).toHaveLength(1);
  });

  test("moves a pod whose workload changed", () => {
    const model = live([pod("web-a")]);

    model.apply({
      type: "pods",
      cluster: "demo",
      reset: false,
      pods: [pod("web-a", { workload: { kind: "Job", name: "once" } })],
    });

    expect(paths(model.build())).toEqual(["demo/shop/Job/once/web-a"]);
  });

  test("keeps the pods in sight while the line is broken, and says so", () => {
    const model = live([pod("web-a")]);

    model.disconnected();

    expect(model.build().clusters[0]).toMatchObject({ state: "reconnecting", podCount: 1 });
  });

  test("ignores clusters that are not watched any more", () => {
    const model = live([pod("web-a")]);
    model.setClusters([]);

    model.apply({ type: "pods", cluster: "demo", reset: true, pods: [pod("web-b")] });

    expect(model.build().clusters).toEqual([]);
  });

  test("finds a pod by name", () => {
    const tree = live([pod("web-a")]).build();

    expect(findPod(tree, "demo", "shop", "web-a")?.pod.uid).toBe("uid-web-a");
    expect(findPod(tree, "demo", "shop", "web-z")).toBeUndefined();
    expect(findPod(tree, "none", "shop", "web-a")).toBeUndefined();
  });

  test("takes 5 000 pods and a change among them without going over all of them", () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      pod(`web-${index}`, {
        namespace: `ns-${index % 50}`,
        workload: { kind: "Deployment", name: `app-${index % 500}` },
      }),
    );
    const model = live(many);
    const before = model.build();

    model.apply({ type: "gone", cluster: "demo", pods: ["uid-web-77"] });
    const after = model.build();

    const changed = after.clusters[0]!.namespaces.filter(
      (namespace, index) => namespace !== before.clusters[0]!.namespaces[index],
    );
    expect(changed.map(({ name }) => name)).toEqual(["ns-27"]);
    expect(after.clusters[0]!.podCount).toBe(4999);
  });
});

describe("filterTree", () => {
  const tree = live([
    pod("web-a"),
    pod("web-b", { node: "demo-2", labels: { app: "web", tier: "Front" } }),
    pod("db", { workload: null, labels: {}, containers: [] }),
    pod("api", { namespace: "billing", workload: { kind: "Deployment", name: "payments" } }),
  ]).build();

  test.each([
    ["web-a", ["web-a"]],
    ["WEB", ["api", "web-a", "web-b"]],
    ["demo-2", ["web-b"]],
    ["tier=front", ["web-b"]],
    ["demo/web:1.4", ["api", "web-a", "web-b"]],
    ["main billing", ["api"]],
    ["payments", ["api"]],
    ["deployment/web", ["web-a", "web-b"]],
    ["shop db", ["db"]],
    ["demo shop web-b", ["web-b"]],
    ["nothing", []],
  ])("%j finds %j", (query, names) => {
    const found = paths(filterTree(tree, query)).map((path) => path.split("/").at(-1));

    expect(found).toEqual(names);
  });

  test("without words is the same tree", () => {
    expect(filterTree(tree, "  ")).toBe(tree);
  });

  test("counts what is left", () => {
    expect(filterTree(tree, "web-a").clusters[0]).toMatchObject({
      podCount: 1,
      namespaces: [{ podCount: 1 }],
    });
  });
});
