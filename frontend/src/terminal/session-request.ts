/** What a terminal asks the server for, and how a tab recognises the same request after a reload. */

import type { TicketRequest } from "@/api";
import type { OpenRequest } from "./pane";
import type { Remembered, TabMemory } from "./tab-memory";

/** Name a request, so that a remembered session is resumed for the same request only. */
export function describeRequest(request: OpenRequest): string {
  if (request.kind === "resume") return `session ${request.session}`;
  const { cluster, namespace, pod, container } = request.target;
  const what = [request.kind, cluster, namespace, pod, container];
  if (request.kind === "exec") what.push(request.shell, ...(request.command ?? []));
  return JSON.stringify(what);
}

/** The ticket to ask for: of `session` once that is known, else of something new. */
export function ticketFor(
  request: OpenRequest,
  session: string | null,
  role: "owner" | "viewer",
): TicketRequest {
  if (session !== null) return { session, role };
  switch (request.kind) {
    case "exec": {
      const { target, shell, command } = request;
      return { target, kind: "exec", shell, command, force_debug: false };
    }
    case "attach": {
      const { target, made } = request;
      return { target, kind: "attach", ...(made === undefined ? {} : { made }) };
    }
    case "resume":
      return { session: request.session, role };
  }
}

/** What this tab remembers for the same request; forgets it when the person wants a fresh one. */
export function recall(request: OpenRequest, slot: string, memory: TabMemory): Remembered | null {
  if (request.kind === "resume") {
    if (request.role === "viewer") return null;
  } else if (request.isFresh) {
    memory.forget(slot);
    return null;
  }
  const remembered = memory.load(slot);
  return remembered?.what === describeRequest(request) ? remembered : null;
}
