/** One terminal in Vue: loads xterm.js when it is needed and publishes what the pane says. */

import { onBeforeUnmount, onMounted, type Ref, ref, shallowRef } from "vue";

import { type Disposable, DisposableStore } from "@/lib/disposable";
import type { ReadonlyObservable } from "@/lib/emitter";
import type { PaneOptions, SearchResult, TerminalPane } from "@/terminal/pane";
import { INITIAL_SNAPSHOT, type SessionSnapshot, type Size } from "@/terminal/session-state";

export function useTerminalPane(
  element: Ref<HTMLElement | null>,
  options: () => PaneOptions,
  onBell: () => void,
) {
  const store = new DisposableStore();
  const pane = shallowRef<TerminalPane | null>(null);
  const snapshot = shallowRef<SessionSnapshot>(INITIAL_SNAPSHOT);
  const title = ref("");
  const size = shallowRef<Size | null>(null);
  const searchResult = shallowRef<SearchResult>({ index: -1, count: 0 });
  const hasSelection = ref(false);
  const sticky = shallowRef({ ctrl: false, alt: false });
  /** The terminal's code could not be loaded. */
  const isBroken = ref(false);

  const show = <T>(from: ReadonlyObservable<T>, to: Ref<T>): Disposable => {
    to.value = from.value;
    return from.onChange((value) => {
      to.value = value;
    });
  };

  onMounted(async () => {
    let opened: TerminalPane;
    try {
      const { openPane } = await import("@/terminal/open-pane");
      if (store.isDisposed || element.value === null) return;
      opened = store.add(openPane(options()));
    } catch {
      isBroken.value = true;
      return;
    }
    store.add(show(opened.snapshot, snapshot));
    store.add(show(opened.title, title));
    store.add(show<Size | null>(opened.size, size));
    store.add(show(opened.searchResult, searchResult));
    store.add(show(opened.hasSelection, hasSelection));
    store.add(show(opened.sticky, sticky));
    store.add(opened.onBell(onBell));
    pane.value = opened;
    opened.mount(element.value);
    opened.focus();
  });
  onBeforeUnmount(() => {
    store.dispose();
  });

  return { pane, snapshot, title, size, searchResult, hasSelection, sticky, isBroken };
}
