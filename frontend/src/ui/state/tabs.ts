/** The terminals that are open in this browser tab. */

import type { SessionKind, Shell, Target } from "@/api";
import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import type { OpenRequest } from "@/terminal/pane";
import { INITIAL_SNAPSHOT, type SessionSnapshot, type Size } from "@/terminal/session-state";

/** What a tab was opened for. */
export interface Opening {
  readonly target: Target;
  readonly kind: SessionKind;
  readonly shell: Shell;
  /** An argv, for the shell "custom" only. */
  readonly command: readonly string[] | null;
  /** An existing session to come back to or to watch. */
  readonly session: string | null;
  readonly role: "owner" | "viewer";
  /** Proof that this person has just made the debug container; good once, and never kept. */
  readonly made?: string | undefined;
}

export interface TabStatus {
  /** It came back with a reload and connects when it is looked at. */
  readonly isAsleep: boolean;
  readonly snapshot: SessionSnapshot;
  readonly title: string;
  readonly size: Size | null;
  /** When it was first live and when it ended, as this page saw it; Date.now(). */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

export interface Tab {
  /** Unique in this browser tab and kept over a reload; names what the terminal remembers. */
  readonly id: string;
  readonly opening: Opening;
  readonly status: TabStatus;
}

export interface TabsState {
  readonly tabs: readonly Tab[];
  readonly activeId: string | null;
}

/** More than this and a browser runs out of drawing contexts and people out of sight. */
export const MAX_TABS = 24;

const STORAGE_KEY = "hatchway.tabs";
const NEW_STATUS: TabStatus = {
  isAsleep: true,
  snapshot: INITIAL_SNAPSHOT,
  title: "",
  size: null,
  startedAt: null,
  endedAt: null,
};

/** Open, order and close tabs; publishes an immutable state. */
export class Tabs {
  readonly #state: Observable<TabsState>;
  readonly #storage: Pick<Storage, "getItem" | "setItem">;

  constructor(storage: Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
    this.#state = new Observable<TabsState>({ tabs: restore(storage), activeId: null });
  }

  get state(): ReadonlyObservable<TabsState> {
    return this.#state;
  }

  get active(): Tab | null {
    const { tabs, activeId } = this.#state.value;
    return tabs.find((tab) => tab.id === activeId) ?? null;
  }

  find(id: string): Tab | null {
    return this.#state.value.tabs.find((tab) => tab.id === id) ?? null;
  }

  /** Find the tab that shows the same thing. */
  findLike(opening: Opening): Tab | null {
    return this.#state.value.tabs.find((tab) => isAlike(tab, opening)) ?? null;
  }

  /** Show the tab that has this open already, or a new one; null when there are too many. */
  open(opening: Opening, isAlwaysNew = false): Tab | null {
    const found = isAlwaysNew ? null : this.findLike(opening);
    if (found !== null) {
      this.activate(found.id);
      return found;
    }
    const { tabs } = this.#state.value;
    if (tabs.length >= MAX_TABS) return null;
    const tab: Tab = { id: createId(), opening, status: NEW_STATUS };
    this.#set({ tabs: [...tabs, tab], activeId: tab.id });
    return tab;
  }

  activate(id: string | null): void {
    if (this.#state.value.activeId !== id) this.#set({ ...this.#state.value, activeId: id });
  }

  /** Close a tab and answer its neighbour, which should be shown next. */
  close(id: string): Tab | null {
    const { tabs, activeId } = this.#state.value;
    const index = tabs.findIndex((tab) => tab.id === id);
    if (index < 0) return this.active;
    const rest = tabs.filter((tab) => tab.id !== id);
    const neighbour = rest[Math.min(index, rest.length - 1)] ?? null;
    this.#set({
      tabs: rest,
      activeId: activeId === id ? (neighbour?.id ?? null) : activeId,
    });
    return neighbour;
  }

  /** Put a tab at another place. */
  move(id: string, index: number): void {
    const { tabs, activeId } = this.#state.value;
    const tab = this.find(id);
    if (tab === null) return;
    const rest = tabs.filter((other) => other.id !== id);
    rest.splice(index, 0, tab);
    this.#set({ tabs: rest, activeId });
  }

  /** The tab shows something else from now on (another shell, a new session). */
  reopen(id: string, opening: Opening): void {
    this.#replace(id, (tab) => ({ ...tab, opening }));
  }

  setStatus(id: string, change: Partial<TabStatus>): void {
    this.#replace(id, (tab) => ({ ...tab, status: { ...tab.status, ...change } }));
  }

  #replace(id: string, change: (tab: Tab) => Tab): void {
    const { tabs, activeId } = this.#state.value;
    this.#set({ tabs: tabs.map((tab) => (tab.id === id ? change(tab) : tab)), activeId });
  }

  #set(state: TabsState): void {
    const before = this.#state.value;
    this.#state.value = state;
    const isSame =
      before.tabs.length === state.tabs.length &&
      before.tabs.every((tab, index) => {
        const other = state.tabs[index];
        return tab.id === other?.id && tab.opening === other.opening;
      });
    if (isSame) return;
    try {
      const kept = state.tabs.map(({ id, opening }) => ({
        id,
        opening: { ...opening, made: undefined },
      }));
      this.#storage.setItem(STORAGE_KEY, JSON.stringify(kept));
    } catch {
      // Storage is forbidden: after a reload the address alone says what to open.
    }
  }
}

/** What the terminal is asked to open for a tab. */
export function requestOf(opening: Opening, isFresh: boolean): OpenRequest {
  const { target, kind, shell, command, session, role, made } = opening;
  if (session !== null) return { kind: "resume", session, role };
  return kind === "attach"
    ? { kind, target, isFresh, made }
    : { kind, target, shell, command: shell === "custom" ? command : null, isFresh };
}

/** True while something runs that would be lost or left behind. */
export function isRunning({ status }: Tab): boolean {
  return ["starting", "live", "reconnecting"].includes(status.snapshot.phase.state);
}

function isAlike(tab: Tab, wanted: Opening): boolean {
  const session = tab.status.snapshot.session ?? tab.opening.session;
  if (wanted.session !== null) return session === wanted.session;
  // Whether the session of a tab that sleeps still lives is not known.
  if (tab.status.isAsleep && session !== null) return false;
  const [one, two] = [tab.opening, wanted];
  return (
    one.kind === two.kind &&
    one.role === "owner" &&
    isSameTarget(one.target, two.target) &&
    // What is over is not what somebody means who asks for a terminal.
    !["ended", "failed"].includes(tab.status.snapshot.phase.state) &&
    (one.shell === two.shell || (two.shell === "auto" && one.shell !== "custom"))
  );
}

export function isSameTarget(one: Target, two: Target): boolean {
  return (
    one.cluster === two.cluster &&
    one.namespace === two.namespace &&
    one.pod === two.pod &&
    one.container === two.container
  );
}

function restore(storage: Pick<Storage, "getItem">): readonly Tab[] {
  try {
    const kept = JSON.parse(storage.getItem(STORAGE_KEY) ?? "[]") as readonly Omit<Tab, "status">[];
    return kept.slice(0, MAX_TABS).map(({ id, opening }) => ({ id, opening, status: NEW_STATUS }));
  } catch {
    return [];
  }
}

function createId(): string {
  return `tab-${crypto.randomUUID().slice(0, 8)}`;
}
