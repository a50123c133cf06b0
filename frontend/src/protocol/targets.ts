/** Subprotocol `hatchway.targets.v1`: the live tree of containers. docs/protocol.md is the contract. */

export const TARGETS_SUBPROTOCOL = "hatchway.targets.v1";

export type ContainerAction = "exec" | "attach" | "debug";

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly type: "main" | "init" | "ephemeral";
  readonly state: "waiting" | "running" | "terminated";
  readonly ready: boolean;
  readonly restarts: number;
  readonly reason: string;
  readonly exit_code: number | null;
  readonly started: string | null;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** What this person may do here. */
  readonly may: readonly ContainerAction[];
  /** One sentence for each action that is missing. */
  readonly why: Readonly<Partial<Record<ContainerAction, string>>>;
}

export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly phase: string;
  /** The word that `kubectl get pods` prints. */
  readonly status: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly workload: { readonly kind: string; readonly name: string } | null;
  readonly containers: readonly Container[];
}
