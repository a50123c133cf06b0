import { expect, test } from "vitest";

import type { Container, Pod } from "@/protocol/targets";
import type { Tree } from "@/targets/tree";
import { containerTone, heldInPlace, podTone, type Row, rowsOf } from "./rows";

const CONTAINER: Container = {
  name: "web",
  image: "demo/web:1",
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
};

function pod(name: string, containers: readonly Container[] = [CONTAINER]): Pod {
  return {
    uid: name,
    namespace: "shop",
    name,
    node: "one",
    phase: "Running",
    status: "Running",
    ready: containers.length,
    total: containers.length,
    restarts: 0,
    created: "2026-11-21T09:00:00Z",
    labels: {},
    workload: null,
    containers,
  };
}

function treeOf(kind: string, pods: readonly Pod[], podCount = pods.length): Tree {
  const nodes = pods.map((one) => ({
    key: `pod ${one.name}`,
    pod: one,
    containers: one.containers.map((container) => ({
      key: `${one.name}/${container.name}`,
      container,
    })),
  }));
  const workloads = [{ key: "w", kind, name: "web", pods: nodes }];
  const namespaces = [{ key: "n", name: "shop", podCount, workloads }];
  return {
    clusters: [
      { key: "c", name: "demo", state: "live", message: "", because: null, podCount, namespaces },
    ],
  };
}

const labels = (rows: readonly Row[]) => rows.map(({ depth, label }) => `${depth} ${label}`);

test("a small cluster shows its pods at once, and a pod without an owner has no row above it", () => {
  expect(labels(rowsOf(treeOf("Deployment", [pod("web-1")]), new Map(), false))).toEqual([
    "0 demo",
    "1 shop",
    "2 web",
    "3 web-1",
  ]);
  expect(labels(rowsOf(treeOf("Pod", [pod("console")]), new Map(), false))).toEqual([
    "0 demo",
    "1 shop",
    "2 console",
  ]);
});

test("a large cluster starts closed, opens on request, and shows everything while searching", () => {
  const tree = treeOf("Deployment", [pod("web-1")], 5000);

  expect(labels(rowsOf(tree, new Map(), false))).toEqual(["0 demo", "1 shop"]);
  expect(rowsOf(tree, new Map([["n", true]]), false)).toHaveLength(3);
  expect(rowsOf(tree, new Map(), true)).toHaveLength(4);
});

test("a click on a pod means its only main container, and several must be chosen from", () => {
  const helper: Container = { ...CONTAINER, name: "debug", type: "ephemeral" };
  const second: Container = { ...CONTAINER, name: "cache" };
  const containerOf = (containers: readonly Container[]) => {
    const row = rowsOf(treeOf("Pod", [pod("web-1", containers)]), new Map(), false).at(-1);
    return row !== undefined && "pod" in row ? row.container?.name : undefined;
  };

  expect(containerOf([CONTAINER, helper])).toBe("web");
  expect(containerOf([CONTAINER, second])).toBeUndefined();
});

test("an opened pod shows each container with its target", () => {
  const rows = rowsOf(treeOf("Pod", [pod("web-1")]), new Map([["pod web-1", true]]), false);

  expect(rows.at(-1)).toMatchObject({
    type: "container",
    depth: 3,
    target: { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" },
  });
});

test("under the pointer rows stay where they are", () => {
  const before = rowsOf(treeOf("Pod", [pod("b"), pod("c")]), new Map(), false);
  const after = rowsOf(treeOf("Pod", [pod("a"), pod("c")]), new Map(), false);

  const held = heldInPlace(before, after);

  expect(labels(held)).toEqual(labels(before));
  expect(held.map(({ isGone }) => isGone)).toEqual([false, false, true, false]);
});

test("tones follow what kubectl would say", () => {
  expect(podTone(pod("a"))).toBe("ok");
  expect(podTone({ ...pod("a"), ready: 0 })).toBe("wait");
  expect(podTone({ ...pod("a"), status: "CrashLoopBackOff" })).toBe("bad");
  expect(podTone({ ...pod("a"), phase: "Succeeded", status: "Completed" })).toBe("off");
  expect(containerTone({ ...CONTAINER, state: "terminated", exit_code: 137 })).toBe("bad");
  expect(containerTone({ ...CONTAINER, state: "waiting", reason: "ContainerCreating" })).toBe(
    "wait",
  );
});
