/** The tree of what a person may see: cluster, namespace, workload, pod, container. Immutable. */

import type { Because } from "@/protocol/fields";
import type { Container, Pod } from "@/protocol/targets";

export type ClusterState = "connecting" | "live" | "reconnecting" | "failed";

export interface ContainerNode {
  readonly key: string;
  readonly container: Container;
}

export interface PodNode {
  readonly key: string;
  readonly pod: Pod;
  readonly containers: readonly ContainerNode[];
}

export interface WorkloadNode {
  readonly key: string;
  /** "Deployment", "StatefulSet", …; "Pod" for a pod without an owner. */
  readonly kind: string;
  readonly name: string;
  readonly pods: readonly PodNode[];
}

export interface NamespaceNode {
  readonly key: string;
  readonly name: string;
  readonly podCount: number;
  readonly workloads: readonly WorkloadNode[];
}

export interface ClusterNode {
  readonly key: string;
  readonly name: string;
  readonly state: ClusterState;
  /** Why, when it is not live. */
  readonly message: string;
  /** The same for a translation. */
  readonly because: Because | null;
  readonly podCount: number;
  readonly namespaces: readonly NamespaceNode[];
}

/** Nodes that did not change are the same objects as before, so that a list may compare them. */
export interface Tree {
  readonly clusters: readonly ClusterNode[];
}
