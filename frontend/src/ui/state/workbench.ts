/** What the pages of a signed-in person share; made by the frame. */

import { inject, type InjectionKey } from "vue";
import type { Router } from "vue-router";

import type { Api, Target } from "@/api";
import { Observable } from "@/lib/emitter";
import { addressOf } from "./address";
import { CommandRegistry } from "./commands";
import { Lists } from "./lists";
import { type Opening, Tabs } from "./tabs";
import { Targets } from "./targets";

/** A tab whose closing needs the person's word. */
export type CloseQuestion = { readonly tabId: string } | null;

export class Workbench {
  readonly tabs = new Tabs(sessionStorage);
  readonly commands = new CommandRegistry();
  readonly targets: Targets;
  readonly lists: Lists;
  readonly isPaletteOpen = new Observable(false);
  readonly areShortcutsOpen = new Observable(false);
  readonly areSettingsOpen = new Observable(false);
  /** Nothing but the terminal is shown. */
  readonly isFullScreen = new Observable(false);
  readonly closeQuestion = new Observable<CloseQuestion>(null);
  /** A container beside which a debug container is asked for. */
  readonly debugTarget = new Observable<Target | null>(null);
  readonly #router: Router;
  readonly #onTooMany: () => void;

  constructor(api: Api, router: Router, onTooMany: () => void) {
    this.targets = new Targets(api);
    this.lists = new Lists(api);
    this.#router = router;
    this.#onTooMany = onTooMany;
  }

  /** Show a terminal in its tab, or in a new one. */
  open(opening: Opening, isAlwaysNew = false): void {
    const tab = this.tabs.open(opening, isAlwaysNew);
    if (tab === null) this.#onTooMany();
    else this.show(tab.id);
  }

  /** Show a tab and its address. */
  show(id: string): void {
    const tab = this.tabs.find(id);
    if (tab === null) return;
    this.tabs.activate(id);
    void this.#router.push({ ...(addressOf(tab.opening) as object), state: { tab: id } });
  }

  /** Close a tab; what it shows is let go, and a session goes on for the grace time. */
  close(id: string): void {
    const isShown = this.#router.currentRoute.value.name === "terminal";
    const wasActive = this.tabs.state.value.activeId === id;
    const next = this.tabs.close(id);
    this.closeQuestion.value = null;
    if (!isShown || !wasActive) return;
    if (next === null) void this.#router.push("/");
    else this.show(next.id);
  }

  /** The tab shows something else; its address follows. */
  reopen(id: string, opening: Opening): void {
    this.tabs.reopen(id, opening);
    if (this.tabs.state.value.activeId === id) {
      void this.#router.replace({ ...(addressOf(opening) as object), state: { tab: id } });
    }
  }

  dispose(): void {
    this.targets.dispose();
  }
}

export const WORKBENCH: InjectionKey<Workbench> = Symbol("workbench");

export function useWorkbench(): Workbench {
  const workbench = inject(WORKBENCH);
  if (workbench === undefined) throw new Error("The workbench is missing.");
  return workbench;
}
