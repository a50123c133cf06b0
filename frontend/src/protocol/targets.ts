/** Subprotocol `hatchway.targets.v1`: the live tree of containers. docs/protocol.md is the contract. */

import {
  type Because,
  type Fields,
  isFields,
  parseObject,
  ProtocolError,
  readBecause,
  readCount,
  readData,
  readList,
  readNumber,
  readString,
  readStrings,
  readWord,
} from "./fields";

export const TARGETS_SUBPROTOCOL = "hatchway.targets.v1";

const ACTIONS = ["exec", "attach", "debug"] as const;

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
  /** The same for a translation, where there is one. */
  readonly because: Readonly<Partial<Record<ContainerAction, Because>>>;
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

export type ClientMessage =
  | { readonly type: "hello"; readonly clusters: readonly string[] }
  | { readonly type: "ping"; readonly t: number };

export type ServerMessage =
  | {
      readonly type: "cluster";
      readonly cluster: string;
      readonly state: "connecting" | "live" | "reconnecting" | "failed";
      readonly message: string;
      readonly because: Because | null;
      readonly namespaces: readonly string[];
    }
  | {
      readonly type: "pods";
      readonly cluster: string;
      readonly reset: boolean;
      readonly pods: readonly Pod[];
    }
  | { readonly type: "gone"; readonly cluster: string; readonly pods: readonly string[] }
  | { readonly type: "pong"; readonly t: number }
  | {
      readonly type: "error";
      readonly code: string;
      readonly message: string;
      readonly data: Fields;
    };

/** Make a text frame. */
export function encodeMessage(message: ClientMessage): string {
  return JSON.stringify(message);
}

/** Read a text frame of the server; null for a type that this client does not know. Throws ProtocolError. */
export function decodeText(text: string): ServerMessage | null {
  const fields = parseObject(text);
  const type = readString(fields, "type");
  switch (type) {
    case "cluster":
      return {
        type,
        cluster: readString(fields, "cluster"),
        state: readWord(fields, "state", ["connecting", "live", "reconnecting", "failed"]),
        message: readString(fields, "message"),
        because: readBecause(fields.because),
        namespaces: readStrings(fields, "namespaces"),
      };
    case "pods":
      return {
        type,
        cluster: readString(fields, "cluster"),
        reset: fields.reset === true,
        pods: readList(fields, "pods").map(readPod),
      };
    case "gone":
      return {
        type,
        cluster: readString(fields, "cluster"),
        pods: readStrings(fields, "pods"),
      };
    case "pong":
      return { type, t: readNumber(fields, "t") };
    case "error":
      return {
        type,
        code: readString(fields, "code"),
        message: readString(fields, "message"),
        data: readData(fields, "data"),
      };
    default:
      return null;
  }
}

function readPod(value: unknown): Pod {
  if (!isFields(value)) throw new ProtocolError("A pod is an object.");
  const workload = value.workload;
  return {
    uid: readString(value, "uid"),
    namespace: readString(value, "namespace"),
    name: readString(value, "name"),
    node: readString(value, "node"),
    phase: readString(value, "phase"),
    status: readString(value, "status"),
    ready: readCount(value, "ready"),
    total: readCount(value, "total"),
    restarts: readCount(value, "restarts"),
    created: readString(value, "created"),
    labels: readLabels(value.labels),
    workload: isFields(workload)
      ? { kind: readString(workload, "kind"), name: readString(workload, "name") }
      : null,
    containers: readList(value, "containers").map(readContainer),
  };
}

function readContainer(value: unknown): Container {
  if (!isFields(value)) throw new ProtocolError("A container is an object.");
  return {
    name: readString(value, "name"),
    image: readString(value, "image"),
    type: readWord(value, "type", ["main", "init", "ephemeral"]),
    state: readWord(value, "state", ["waiting", "running", "terminated"]),
    ready: value.ready === true,
    restarts: readCount(value, "restarts"),
    reason: readString(value, "reason"),
    exit_code: typeof value.exit_code === "number" ? value.exit_code : null,
    started: typeof value.started === "string" ? value.started : null,
    tty: value.tty === true,
    stdin: value.stdin === true,
    may: ACTIONS.filter((action) => readList(value, "may").includes(action)),
    why: readLabels(value.why),
    because: readReasons(value.because),
  };
}

function readReasons(value: unknown): Container["because"] {
  if (!isFields(value)) return {};
  const reasons: Partial<Record<ContainerAction, Because>> = {};
  for (const action of ACTIONS) {
    const because = readBecause(value[action]);
    if (because !== null) reasons[action] = because;
  }
  return reasons;
}

/** Keep the string values of an object. */
function readLabels(value: unknown): Readonly<Record<string, string>> {
  if (!isFields(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
