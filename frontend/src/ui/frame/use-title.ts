/** The document's title: what is shown, then who we are. */

import { watchEffect } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute } from "vue-router";

import { useObservable } from "@/ui/state/use-observable";
import { useProgramText } from "@/ui/state/use-program-text";
import type { Workbench } from "@/ui/state/workbench";

export function useTitle(workbench: Workbench): void {
  const { t } = useI18n();
  const { programText } = useProgramText();
  const route = useRoute();
  const tabs = useObservable(workbench.tabs.state);
  watchEffect(() => {
    const tab = tabs.value.tabs.find(({ id }) => id === tabs.value.activeId);
    const isTerminal = route.name === "terminal" && tab !== undefined;
    const what = isTerminal
      ? `${tab.opening.target.pod}/${tab.opening.target.container} (${programText(tab.opening, tab.status.snapshot.command)})`
      : t(`title.${String(route.name)}`);
    document.title = `${what} · Hatchway`;
  });
}
