/** The tree as a flat list of rows, for a virtual list. */

import type { Target } from "@/api";
import type { Container, Pod } from "@/protocol/targets";
import { mainContainer } from "@/ui/state/targets";
import type { ClusterNode, NamespaceNode, PodNode, Tree, WorkloadNode } from "@/targets/tree";

export type Tone = "ok" | "wait" | "bad" | "off";

interface RowBase {
  readonly key: string;
  readonly depth: number;
  readonly label: string;
  readonly isExpandable: boolean;
  readonly isExpanded: boolean;
  /** It is gone, and stays in its place until the pointer leaves the list. */
  readonly isGone: boolean;
}

export type Row =
  | (RowBase & { readonly type: "cluster"; readonly cluster: ClusterNode })
  | (RowBase & { readonly type: "namespace"; readonly podCount: number })
  | (RowBase & { readonly type: "workload"; readonly workload: WorkloadNode })
  | (RowBase & {
      readonly type: "pod" | "container";
      readonly pod: Pod;
      /** What a click opens; null for a pod with several containers to choose from. */
      readonly container: Container | null;
      readonly target: Target;
      readonly workload: string | null;
      readonly tone: Tone;
      /** Kubernetes' own word for the state. */
      readonly word: string;
    });

export type LeafRow = Extract<Row, { readonly pod: Pod }>;

/** Which rows a person has opened or closed; the others follow the default. */
export type Expansion = ReadonlyMap<string, boolean>;

/** Clusters with no more pods than this start with everything visible. */
const SMALL_CLUSTER = 60;

/** Flatten the tree; while searching, everything that was found is visible. */
export function rowsOf(tree: Tree, expansion: Expansion, isSearching: boolean): readonly Row[] {
  const rows: Row[] = [];
  for (const cluster of tree.clusters) {
    const isSmall = cluster.podCount <= SMALL_CLUSTER;
    const isExpanded = isSearching || (expansion.get(cluster.key) ?? true);
    rows.push({
      ...branch(cluster.key, 0, cluster.name, isExpanded),
      isExpandable: cluster.namespaces.length > 0,
      type: "cluster",
      cluster,
    });
    if (!isExpanded) continue;
    for (const namespace of cluster.namespaces) {
      addNamespace(rows, cluster, namespace, expansion, isSearching, isSmall);
    }
  }
  return rows;
}

function addNamespace(
  rows: Row[],
  cluster: ClusterNode,
  namespace: NamespaceNode,
  expansion: Expansion,
  isSearching: boolean,
  isSmall: boolean,
): void {
  const isOpen = (key: string) => isSearching || (expansion.get(key) ?? isSmall);
  const isExpanded = isOpen(namespace.key);
  rows.push({
    ...branch(namespace.key, 1, namespace.name, isExpanded),
    isExpandable: namespace.workloads.length > 0,
    type: "namespace",
    podCount: namespace.podCount,
  });
  if (!isExpanded) return;
  for (const workload of namespace.workloads) {
    const place = { cluster: cluster.name, workload: workloadText(workload) };
    // A pod that nothing owns needs no row above it.
    if (place.workload === null) {
      for (const pod of workload.pods) addPod(rows, pod, 2, place, expansion, isSearching);
      continue;
    }
    const isWorkloadOpen = isOpen(workload.key);
    rows.push({
      ...branch(workload.key, 2, workload.name, isWorkloadOpen),
      type: "workload",
      workload,
    });
    if (!isWorkloadOpen) continue;
    for (const pod of workload.pods) addPod(rows, pod, 3, place, expansion, isSearching);
  }
}

function addPod(
  rows: Row[],
  node: PodNode,
  depth: number,
  place: { readonly cluster: string; readonly workload: string | null },
  expansion: Expansion,
  isSearching: boolean,
): void {
  const { pod } = node;
  // Whoever clicks a pod with one main container means that one; the others open on request only.
  const isSingle = pod.containers.filter(({ type }) => type === "main").length === 1;
  const isExpanded = expansion.get(node.key) ?? (!isSingle && isSearching);
  const container = mainContainer(pod);
  const target = { cluster: place.cluster, namespace: pod.namespace, pod: pod.name };
  rows.push({
    ...branch(node.key, depth, pod.name, isExpanded),
    type: "pod",
    pod,
    container: isSingle ? container : null,
    target: { ...target, container: container?.name ?? "" },
    workload: place.workload,
    tone: podTone(pod),
    word: pod.status,
  });
  if (!isExpanded) return;
  for (const { key, container: one } of node.containers) {
    rows.push({
      ...branch(key, depth + 1, one.name, false),
      isExpandable: false,
      type: "container",
      pod,
      container: one,
      target: { ...target, container: one.name },
      workload: place.workload,
      tone: containerTone(one),
      word: containerWord(one),
    });
  }
}

function branch(key: string, depth: number, label: string, isExpanded: boolean) {
  return { key, depth, label, isExpanded, isExpandable: true, isGone: false };
}

/** "Deployment/web"; null for a pod without an owner. */
export function workloadText(workload: { readonly kind: string; readonly name: string }) {
  return workload.kind === "Pod" ? null : `${workload.kind}/${workload.name}`;
}

export function podTone(pod: Pod): Tone {
  if (pod.phase === "Succeeded" || pod.status === "Completed") return "off";
  if (pod.phase === "Failed" || /BackOff|Err|Failed|Evicted|OOMKilled/.test(pod.status))
    return "bad";
  return pod.status === "Running" && pod.ready >= pod.total ? "ok" : "wait";
}

export function containerTone(container: Container): Tone {
  switch (container.state) {
    case "running":
      return container.ready || container.type !== "main" ? "ok" : "wait";
    case "waiting":
      return /BackOff|Err|Invalid/.test(container.reason) ? "bad" : "wait";
    case "terminated":
      return (container.exit_code ?? 0) === 0 ? "off" : "bad";
  }
}

export function containerWord({ state, reason }: Container): string {
  return reason === "" ? state : reason;
}

/**
 * Keep rows where they are under the pointer: what is new waits, what is gone stays and says so,
 * what changed changes in its place.
 */
export function heldInPlace(before: readonly Row[], after: readonly Row[]): readonly Row[] {
  const now = new Map(after.map((row) => [row.key, row]));
  return before.map((row) => now.get(row.key) ?? { ...row, isGone: true });
}
