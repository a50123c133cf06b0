/** What can be done with a tab. */

import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";

import type { MenuItem } from "@/ui/parts/menu-item";
import { addressOf, kubectlCommand } from "@/ui/state/address";
import { isRunning, type Tab } from "@/ui/state/tabs";
import { useNotify } from "@/ui/state/use-notify";
import { useWorkbench } from "@/ui/state/workbench";

export function useTabMenu() {
  const { t } = useI18n();
  const workbench = useWorkbench();
  const router = useRouter();
  const notify = useNotify();

  /** Close at once, or ask first when a shell of one's own still runs. */
  function askClose(tab: Tab): void {
    const { role, kind } = tab.status.snapshot;
    if (isRunning(tab) && role === "owner" && kind === "exec") {
      workbench.closeQuestion.value = { tabId: tab.id };
    } else workbench.close(tab.id);
  }

  function itemsFor(tab: Tab): readonly MenuItem[] {
    const others = workbench.tabs.state.value.tabs.filter(({ id }) => id !== tab.id);
    const address = () =>
      new URL(router.resolve(addressOf(tab.opening)).href, window.location.href);
    return [
      { id: "close", label: t("tabs.close"), run: () => askClose(tab) },
      {
        id: "ended",
        label: t("tabs.closeEnded"),
        run: () => {
          for (const { id } of workbench.tabs.state.value.tabs.filter((one) => isOver(one))) {
            workbench.close(id);
          }
        },
      },
      {
        id: "again",
        label: t("tree.openNew"),
        isGroupStart: true,
        run: () => workbench.open({ ...tab.opening, session: null, role: "owner" }, true),
      },
      {
        id: "left",
        label: t("tabs.moveLeft"),
        run: () => workbench.tabs.move(tab.id, Math.max(0, indexOf(tab) - 1)),
      },
      {
        id: "right",
        label: t("tabs.moveRight"),
        run: () => workbench.tabs.move(tab.id, Math.min(others.length, indexOf(tab) + 1)),
      },
      {
        id: "address",
        label: t("tree.copyAddress"),
        isGroupStart: true,
        run: () => void notify.copy(address().href),
      },
      {
        id: "kubectl",
        label: t("tree.copyKubectl"),
        run: () => void notify.copy(kubectlCommand(tab.opening.target)),
      },
    ];
  }

  function indexOf(tab: Tab): number {
    return workbench.tabs.state.value.tabs.findIndex(({ id }) => id === tab.id);
  }

  return { itemsFor, askClose };
}

function isOver({ status }: Tab): boolean {
  return ["ended", "failed"].includes(status.snapshot.phase.state);
}
