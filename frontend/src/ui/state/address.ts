/** Addresses of terminals: a tab and its address say the same. */

import type { LocationQuery, RouteLocationRaw, RouteParams } from "vue-router";

import type { Shell, Target } from "@/api";
import type { Opening } from "./tabs";

const SHELLS: readonly Shell[] = ["auto", "bash", "sh"];

export function exec(target: Target, shell: Shell = "auto"): Opening {
  return { target, kind: "exec", shell, command: null, session: null, role: "owner" };
}

export function attach(target: Target): Opening {
  return { ...exec(target), kind: "attach" };
}

/** The address of a terminal. A command of one's own is not part of it: a link must not run it. */
export function addressOf(opening: Opening): RouteLocationRaw {
  const { target, kind, shell, session, role } = opening;
  const query: Record<string, string> = {};
  if (kind === "attach") query.kind = "attach";
  else if (shell === "bash" || shell === "sh") query.shell = shell;
  if (session !== null) query.session = session;
  if (role === "viewer") query.role = "viewer";
  return { name: "terminal", params: { ...target }, query };
}

/** Read an address. */
export function openingOf(params: RouteParams, query: LocationQuery): Opening {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const target: Target = {
    cluster: text(params.cluster),
    namespace: text(params.namespace),
    pod: text(params.pod),
    container: text(params.container),
  };
  return {
    target,
    kind: query.kind === "attach" ? "attach" : "exec",
    shell: SHELLS.find((shell) => shell === query.shell) ?? "auto",
    command: null,
    session: text(query.session) || null,
    role: query.role === "viewer" ? "viewer" : "owner",
  };
}

/** A target in one line. */
export function targetText({ namespace, pod, container }: Target): string {
  return `${namespace}/${pod}/${container}`;
}

/** The same with kubectl; the names are DNS labels and need no quoting. */
export function kubectlCommand(target: Target): string {
  const { cluster, namespace, pod, container } = target;
  return `kubectl --context ${cluster} -n ${namespace} exec -it ${pod} -c ${container} -- sh`;
}
