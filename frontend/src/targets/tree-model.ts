/** The tree as messages change it; nodes that did not change stay the same objects. */

import type { Because } from "@/protocol/fields";
import type { Pod, ServerMessage } from "@/protocol/targets";
import type {
  ClusterNode,
  ClusterState,
  ContainerNode,
  NamespaceNode,
  PodNode,
  Tree,
  WorkloadNode,
} from "./tree";

/** Separates the parts of a key; no Kubernetes name contains it. */
const SEPARATOR = "/";

const collator = new Intl.Collator("en", { numeric: true });

function byName(a: { name: string }, b: { name: string }): number {
  return collator.compare(a.name, b.name);
}

/** One workload's pods, and its node while that is up to date. */
class WorkloadGroup {
  readonly pods = new Map<string, PodNode>();
  node: WorkloadNode | null = null;

  constructor(
    readonly key: string,
    readonly kind: string,
    readonly name: string,
  ) {}

  build(): WorkloadNode {
    this.node ??= {
      key: this.key,
      kind: this.kind,
      name: this.name,
      pods: [...this.pods.values()].sort((a, b) => byName(a.pod, b.pod)),
    };
    return this.node;
  }
}

class NamespaceGroup {
  readonly workloads = new Map<string, WorkloadGroup>();
  node: NamespaceNode | null = null;

  constructor(
    readonly key: string,
    readonly name: string,
  ) {}

  build(): NamespaceNode {
    if (this.node === null) {
      const workloads = [...this.workloads.values()]
        .map((group) => group.build())
        .sort((a, b) => byName(a, b) || byName({ name: a.kind }, { name: b.kind }));
      const podCount = workloads.reduce((sum, workload) => sum + workload.pods.length, 0);
      this.node = { key: this.key, name: this.name, podCount, workloads };
    }
    return this.node;
  }
}

class ClusterGroup {
  readonly namespaces = new Map<string, NamespaceGroup>();
  readonly pods = new Map<string, PodNode>();
  /** Namespaces that the person may see although they may be empty. */
  visible: readonly string[] = [];
  state: ClusterState = "connecting";
  message = "";
  because: Because | null = null;
  node: ClusterNode | null = null;
  /** Pods from before a reset, so that those that come again unchanged keep their nodes. */
  #before = new Map<string, PodNode>();

  constructor(readonly name: string) {}

  setState(
    state: ClusterState,
    message: string,
    visible: readonly string[],
    because: Because | null = null,
  ): void {
    this.state = state;
    this.message = message;
    this.because = because;
    this.visible = visible;
    this.node = null;
    for (const name of visible) this.#namespace(name);
    this.#dropEmpty();
  }

  reset(): void {
    this.#before = new Map(this.pods);
    for (const uid of [...this.pods.keys()]) this.remove(uid);
  }

  put(pod: Pod): void {
    const old = this.pods.get(pod.uid) ?? this.#before.get(pod.uid);
    const node = old !== undefined && isSame(old.pod, pod) ? old : this.#nodeOf(pod);
    if (this.pods.get(pod.uid) === node) return;
    this.remove(pod.uid);
    this.pods.set(pod.uid, node);
    const { kind, name } = workloadOf(pod);
    const namespace = this.#namespace(pod.namespace);
    const key = [namespace.key, kind, name].join(SEPARATOR);
    let workload = namespace.workloads.get(key);
    if (workload === undefined) {
      workload = new WorkloadGroup(key, kind, name);
      namespace.workloads.set(key, workload);
    }
    workload.pods.set(pod.uid, node);
    workload.node = namespace.node = this.node = null;
  }

  remove(uid: string): void {
    const node = this.pods.get(uid);
    if (node === undefined) return;
    this.pods.delete(uid);
    const { kind, name } = workloadOf(node.pod);
    const namespace = this.#namespace(node.pod.namespace);
    const key = [namespace.key, kind, name].join(SEPARATOR);
    const workload = namespace.workloads.get(key);
    workload?.pods.delete(uid);
    if (workload?.pods.size === 0) namespace.workloads.delete(key);
    else if (workload !== undefined) workload.node = null;
    namespace.node = this.node = null;
  }

  build(): ClusterNode {
    if (this.node === null) {
      this.#dropEmpty();
      this.#before.clear();
      const namespaces = [...this.namespaces.values()].map((group) => group.build()).sort(byName);
      this.node = {
        key: this.name,
        name: this.name,
        state: this.state,
        message: this.message,
        because: this.because,
        podCount: this.pods.size,
        namespaces,
      };
    }
    return this.node;
  }

  #namespace(name: string): NamespaceGroup {
    let namespace = this.namespaces.get(name);
    if (namespace === undefined) {
      namespace = new NamespaceGroup([this.name, name].join(SEPARATOR), name);
      this.namespaces.set(name, namespace);
    }
    return namespace;
  }

  #dropEmpty(): void {
    for (const { name, workloads } of this.namespaces.values()) {
      if (workloads.size === 0 && !this.visible.includes(name)) this.namespaces.delete(name);
    }
  }

  #nodeOf(pod: Pod): PodNode {
    const key = [this.name, pod.uid].join(SEPARATOR);
    const containers = pod.containers.map((container): ContainerNode => ({
      key: [key, container.name].join(SEPARATOR),
      container,
    }));
    return { key, pod, containers };
  }
}

/** Apply messages, then `build` a tree as often as somebody looks. */
export class TreeModel {
  readonly #clusters = new Map<string, ClusterGroup>();
  #tree: Tree | null = null;

  /** Show these clusters, from now on and before the server has said anything about them. */
  setClusters(names: readonly string[]): void {
    for (const name of this.#clusters.keys()) {
      if (!names.includes(name)) this.#clusters.delete(name);
    }
    for (const name of names) {
      if (!this.#clusters.has(name)) this.#clusters.set(name, new ClusterGroup(name));
    }
    this.#tree = null;
  }

  /** Mark every cluster as out of touch; the pods stay as they were last seen. */
  disconnected(): void {
    for (const cluster of this.#clusters.values()) {
      if (cluster.state !== "live") continue;
      cluster.setState("reconnecting", "", cluster.visible);
      this.#tree = null;
    }
  }

  /** Apply a message about a cluster that is shown; others are late and ignored. */
  apply(message: Extract<ServerMessage, { type: "cluster" | "pods" | "gone" }>): void {
    const cluster = this.#clusters.get(message.cluster);
    if (cluster === undefined) return;
    switch (message.type) {
      case "cluster":
        cluster.setState(message.state, message.message, message.namespaces, message.because);
        break;
      case "pods":
        if (message.reset) cluster.reset();
        for (const pod of message.pods) cluster.put(pod);
        break;
      case "gone":
        for (const uid of message.pods) cluster.remove(uid);
        break;
    }
    this.#tree = null;
  }

  /** The tree as it is now. */
  build(): Tree {
    this.#tree ??= {
      clusters: [...this.#clusters.values()].map((cluster) => cluster.build()).sort(byName),
    };
    return this.#tree;
  }

  /** Find a pod by its uid. */
  pod(cluster: string, uid: string): PodNode | undefined {
    return this.#clusters.get(cluster)?.pods.get(uid);
  }
}

/** Find a pod by its name. */
export function findPod(
  tree: Tree,
  cluster: string,
  namespace: string,
  name: string,
): PodNode | undefined {
  return tree.clusters
    .find((node) => node.name === cluster)
    ?.namespaces.find((node) => node.name === namespace)
    ?.workloads.flatMap((workload) => workload.pods)
    .find((node) => node.pod.name === name);
}

function workloadOf(pod: Pod): { kind: string; name: string } {
  return pod.workload ?? { kind: "Pod", name: pod.name };
}

function isSame(a: Pod, b: Pod): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
