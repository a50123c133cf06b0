/** Search in the tree: name, label, image or node, as one types. */

import type { ClusterNode, NamespaceNode, PodNode, Tree, WorkloadNode } from "./tree";

/** Everything of a pod that can be searched for, made once per node. */
const searchable = new WeakMap<PodNode, string>();

/**
 * Keep the pods in which every word of `query` occurs: in the names of the cluster, namespace,
 * workload, pod or a container, in a label (`key=value`), an image or the node. Empty branches go;
 * an empty query answers the same tree.
 */
export function filterTree(tree: Tree, query: string): Tree {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return tree;
  const clusters = tree.clusters
    .map((cluster) => filterCluster(cluster, words))
    .filter((cluster) => cluster.podCount > 0);
  return { clusters };
}

function filterCluster(cluster: ClusterNode, words: readonly string[]): ClusterNode {
  const rest = words.filter((word) => !cluster.name.toLowerCase().includes(word));
  const namespaces = cluster.namespaces
    .map((namespace) => filterNamespace(namespace, rest))
    .filter((namespace) => namespace.podCount > 0);
  const podCount = namespaces.reduce((sum, namespace) => sum + namespace.podCount, 0);
  return { ...cluster, podCount, namespaces };
}

function filterNamespace(namespace: NamespaceNode, words: readonly string[]): NamespaceNode {
  const rest = words.filter((word) => !namespace.name.toLowerCase().includes(word));
  if (rest.length === 0) return namespace;
  const workloads = namespace.workloads
    .map((workload) => filterWorkload(workload, rest))
    .filter((workload) => workload.pods.length > 0);
  const podCount = workloads.reduce((sum, workload) => sum + workload.pods.length, 0);
  return { ...namespace, podCount, workloads };
}

function filterWorkload(workload: WorkloadNode, words: readonly string[]): WorkloadNode {
  const name = `${workload.kind}/${workload.name}`.toLowerCase();
  const rest = words.filter((word) => !name.includes(word));
  if (rest.length === 0) return workload;
  const pods = workload.pods.filter((node) => {
    const text = textOf(node);
    return rest.every((word) => text.includes(word));
  });
  return { ...workload, pods };
}

function textOf(node: PodNode): string {
  let text = searchable.get(node);
  if (text === undefined) {
    const { name, node: machine, labels, containers } = node.pod;
    text = [
      name,
      machine,
      ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
      ...containers.flatMap((container) => [container.name, container.image]),
    ]
      .join("\n")
      .toLowerCase();
    searchable.set(node, text);
  }
  return text;
}
