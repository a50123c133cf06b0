/** The clusters of this person and their live tree. */

import { type Api, ApiError, type Cluster, type Target } from "@/api";
import { type Disposable, DisposableStore } from "@/lib/disposable";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import type { Container } from "@/protocol/targets";
import type { ClusterNode, NamespaceNode, PodNode, Tree } from "@/targets/tree";
import { TreeClient, type TreeConnection } from "@/targets/tree-client";

export type ClustersState =
  | { readonly state: "loading" }
  | { readonly state: "known"; readonly clusters: readonly Cluster[] }
  | { readonly state: "failed"; readonly error: ApiError };

/** Load the clusters, then watch all of them. */
export class Targets implements Disposable {
  readonly #store = new DisposableStore();
  readonly #client = this.#store.add(new TreeClient());
  readonly #clusters = new Observable<ClustersState>({ state: "loading" });
  readonly #api: Pick<Api, "clusters">;

  constructor(api: Pick<Api, "clusters">) {
    this.#api = api;
  }

  get clusters(): ReadonlyObservable<ClustersState> {
    return this.#clusters;
  }

  get tree(): ReadonlyObservable<Tree> {
    return this.#client.tree;
  }

  get connection(): ReadonlyObservable<TreeConnection> {
    return this.#client.connection;
  }

  /** Load and watch; call again to try again. */
  async load(): Promise<void> {
    try {
      const clusters = await this.#api.clusters();
      this.#clusters.value = { state: "known", clusters };
      this.#client.watch(clusters.map((cluster) => cluster.name));
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      this.#clusters.value = { state: "failed", error: reason };
    }
  }

  retryNow(): void {
    this.#client.retryNow();
  }

  dispose(): void {
    this.#store.dispose();
  }
}

export interface FoundTarget {
  readonly cluster: ClusterNode;
  readonly namespace: NamespaceNode;
  readonly pod: PodNode;
  readonly container: Container | null;
}

/** Find a target in the tree; null while it is unknown. */
export function findTarget(tree: Tree, target: Target): FoundTarget | null {
  const cluster = tree.clusters.find(({ name }) => name === target.cluster);
  const namespace = cluster?.namespaces.find(({ name }) => name === target.namespace);
  for (const workload of namespace?.workloads ?? []) {
    const pod = workload.pods.find((node) => node.pod.name === target.pod);
    if (cluster === undefined || namespace === undefined || pod === undefined) continue;
    const container = pod.pod.containers.find(({ name }) => name === target.container) ?? null;
    return { cluster, namespace, pod, container };
  }
  return null;
}

/** The container that a person means who names only a pod. */
export function mainContainer(pod: PodNode["pod"]): Container | null {
  return pod.containers.find(({ type }) => type === "main") ?? pod.containers[0] ?? null;
}
