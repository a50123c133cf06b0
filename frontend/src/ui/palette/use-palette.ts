/** What the palette can find: containers, sessions, pages, commands, settings. */

import {
  CircleUser,
  House,
  Keyboard,
  Languages,
  LogOut,
  Plug,
  Settings,
  SquareTerminal,
  SunMoon,
  Wrench,
} from "@lucide/vue";
import { computed, type FunctionalComponent, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";

import { attach, exec } from "@/ui/state/address";
import { useApp } from "@/ui/state/app-context";
import { SHORTCUTS } from "@/ui/state/commands";
import { LOCALES, THEMES } from "@/ui/state/settings";
import { useNotify } from "@/ui/state/use-notify";
import { useObservable } from "@/ui/state/use-observable";
import { useShortlists } from "@/ui/state/use-shortlists";
import { useWorkbench } from "@/ui/state/workbench";
import { fuzzyFilter } from "./fuzzy";

export interface Entry {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly group: "sessions" | "containers" | "commands";
  readonly icon: FunctionalComponent;
  readonly shortcut?: string | undefined;
  readonly run: () => void;
}

/** More than fit on a screen are not read. */
export const MAX_SHOWN = 50;
/** Of each group, before anything is typed. */
const MAX_AT_FIRST = 8;

export function usePalette(query: Ref<string>) {
  const { t } = useI18n();
  const { settings, account } = useApp();
  const workbench = useWorkbench();
  const router = useRouter();
  const notify = useNotify();
  const tree = useObservable(workbench.targets.tree);
  const { sessions, resume } = useShortlists();

  const containers = computed<readonly Entry[]>(() =>
    tree.value.clusters.flatMap((cluster) =>
      cluster.namespaces.flatMap((namespace) =>
        namespace.workloads.flatMap((workload) =>
          workload.pods.flatMap(({ pod }) =>
            pod.containers
              .filter(({ may, state }) => state === "running" && may.length > 0)
              .map((container): Entry => {
                const target = {
                  cluster: cluster.name,
                  namespace: namespace.name,
                  pod: pod.name,
                  container: container.name,
                };
                const isShell = container.may.includes("exec");
                return {
                  id: `c ${Object.values(target).join(" ")}`,
                  label: `${pod.name} / ${container.name}`,
                  hint: `${cluster.name} · ${namespace.name}`,
                  group: "containers",
                  icon: isShell ? SquareTerminal : Plug,
                  run: () => workbench.open(isShell ? exec(target) : attach(target)),
                };
              }),
          ),
        ),
      ),
    ),
  );

  const open = computed<readonly Entry[]>(() =>
    sessions.value.map((session) => ({
      id: `s ${session.id}`,
      label: `${session.target.pod} / ${session.target.container}`,
      hint: t("palette.resume", { namespace: session.target.namespace }),
      group: "sessions",
      icon: SquareTerminal,
      run: () => resume(session),
    })),
  );

  const go = (path: string) => () => void router.push(path);
  const commands = computed<readonly Entry[]>(() => [
    ...workbench.commands.all.map(({ id, label, shortcut, run }) =>
      command(id, t(label), Wrench, run, shortcut),
    ),
    command("home", t("title.dashboard"), House, go("/")),
    command("sessions", t("nav.sessions"), SquareTerminal, go("/sessions")),
    command("account", t("nav.account"), CircleUser, go("/account")),
    command("settings", t("settings.terminal"), Settings, () => {
      workbench.areSettingsOpen.value = true;
    }),
    ...THEMES.map((theme) =>
      command(`theme-${theme}`, t("palette.theme", { theme: t(`theme.${theme}`) }), SunMoon, () => {
        settings.change({ theme });
      }),
    ),
    ...LOCALES.map((locale) =>
      command(
        `locale-${locale}`,
        t("palette.language", { language: t(`language.${locale}`) }),
        Languages,
        () => {
          settings.change({ locale });
        },
      ),
    ),
    command(
      "keys",
      t("shortcuts.title"),
      Keyboard,
      () => (workbench.areShortcutsOpen.value = true),
      SHORTCUTS.help,
    ),
    command("out", t("nav.signOut"), LogOut, () => void notify.whenFailed(account.signOut())),
  ]);

  function command(
    id: string,
    label: string,
    icon: FunctionalComponent,
    run: () => unknown,
    shortcut?: string,
  ): Entry {
    return {
      id: `k ${id}`,
      label,
      hint: "",
      group: "commands",
      icon,
      shortcut,
      run: () => void run(),
    };
  }

  return computed(() => {
    const groups = [open.value, containers.value, commands.value];
    if (query.value.trim() === "") {
      return groups
        .flatMap((entries, index) => (index === 2 ? entries : entries.slice(0, MAX_AT_FIRST)))
        .map((item) => ({ item, score: 0, marks: [] as readonly number[] }));
    }
    return fuzzyFilter(
      query.value,
      groups.flat(),
      ({ label, hint }) => `${label} ${hint}`,
      MAX_SHOWN,
    );
  });
}
