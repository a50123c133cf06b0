/** Everything that can be done with a container, as a menu. */

import { Bug, Copy, Plug, Plus, SquareTerminal, Star, Terminal } from "@lucide/vue";
import { useI18n } from "vue-i18n";

import type { Target } from "@/api";
import type { Container, ContainerAction } from "@/protocol/targets";
import type { MenuItem } from "@/ui/parts/menu-item";
import { addressOf, attach, exec, kubectlCommand } from "@/ui/state/address";
import { useRouter } from "vue-router";
import { useErrorText } from "@/ui/state/use-error-text";
import { useNotify } from "@/ui/state/use-notify";
import { useWorkbench } from "@/ui/state/workbench";

export interface TargetChoice {
  readonly target: Target;
  readonly container: Container;
  readonly workload: string | null;
}

export function useTargetMenu(onDebug: (target: Target) => void) {
  const { t } = useI18n();
  const workbench = useWorkbench();
  const router = useRouter();
  const notify = useNotify();
  const { refusalText } = useErrorText();

  /** Why an action is refused here; nothing when it is allowed. */
  function refusalOf(container: Container, action: ContainerAction): string | undefined {
    if (container.may.includes(action)) {
      const isRunning = container.state === "running" || action === "debug";
      return isRunning ? undefined : t("tree.notRunning");
    }
    return refusalText(container, action);
  }

  function itemsFor({ target, container, workload }: TargetChoice): readonly MenuItem[] {
    const { lists } = workbench;
    const noExec = refusalOf(container, "exec");
    const noAttach = refusalOf(container, "attach");
    const isFavourite = lists.isFavourite(target, workload);
    const open = (shell: "auto" | "bash" | "sh", isNew = false) => ({
      refusal: noExec,
      run: () => workbench.open(exec(target, shell), isNew),
    });
    return [
      { id: "shell", label: t("tree.openShell"), icon: SquareTerminal, ...open("auto") },
      ...(noExec === undefined
        ? [
            { id: "new", label: t("tree.openNew"), icon: Plus, ...open("auto", true) },
            {
              id: "bash",
              label: t("tree.openWith", { shell: "bash" }),
              icon: Terminal,
              ...open("bash"),
            },
            { id: "sh", label: t("tree.openWith", { shell: "sh" }), icon: Terminal, ...open("sh") },
          ]
        : []),
      {
        id: "attach",
        label: t("tree.attach"),
        icon: Plug,
        refusal: noAttach,
        run: () => workbench.open(attach(target)),
      },
      {
        id: "debug",
        label: t("tree.debug"),
        icon: Bug,
        refusal: refusalOf(container, "debug"),
        run: () => onDebug(target),
      },
      {
        id: "favourite",
        label: t(isFavourite ? "tree.unfavourite" : "tree.favourite"),
        icon: Star,
        isGroupStart: true,
        run: () => void notify.whenFailed(lists.toggleFavourite(target, workload)),
      },
      {
        id: "copy-address",
        label: t("tree.copyAddress"),
        icon: Copy,
        isGroupStart: true,
        run: () => void notify.copy(absolute(router.resolve(addressOf(exec(target))).href)),
      },
      {
        id: "copy-kubectl",
        label: t("tree.copyKubectl"),
        icon: Copy,
        run: () => void notify.copy(kubectlCommand(target)),
      },
      {
        id: "copy-name",
        label: t("tree.copyName"),
        icon: Copy,
        run: () => void notify.copy(target.pod),
      },
    ];
  }

  return { itemsFor, refusalOf };
}

function absolute(path: string): string {
  return new URL(path, window.location.href).href;
}
