/** What a terminal view does: the pane, its tab's state, finding, pasting, starting again. */

import { computed, onBeforeUnmount, type Ref, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";

import type { Shell } from "@/api";
import type { KeyCommand } from "@/terminal/keymap";
import type { PasteAnswer, PasteQuestion } from "@/terminal/pane";
import { DEFAULT_PREFERENCES, withFontSize } from "@/terminal/preferences";
import { useApp } from "@/ui/state/app-context";
import type { Command } from "@/ui/state/commands";
import { SHORTCUTS } from "@/ui/state/commands";
import { requestOf } from "@/ui/state/tabs";
import { isDark } from "@/ui/state/theme";
import { useFormat } from "@/ui/state/use-format";
import { useNotify } from "@/ui/state/use-notify";
import { useObservable } from "@/ui/state/use-observable";
import { usePhaseText } from "@/ui/state/use-phase-text";
import { useWorkbench } from "@/ui/state/workbench";
import { useTerminalPane } from "./use-terminal-pane";

/** A paste that waits for the person. */
interface OpenPaste {
  readonly question: PasteQuestion;
  readonly answer: (answer: PasteAnswer) => void;
}

export function useTerminal(
  id: string,
  screen: Ref<HTMLElement | null>,
  root: Ref<HTMLElement | null>,
) {
  const { t } = useI18n();
  const { settings } = useApp();
  const workbench = useWorkbench();
  const notify = useNotify();
  const format = useFormat();
  const { phaseText, errorText } = usePhaseText();
  const preferences = useObservable(settings.value);
  const dark = useObservable(isDark);

  const isFinding = ref(false);
  const paste = shallowRef<OpenPaste | null>(null);

  const opening = () => {
    const tab = workbench.tabs.find(id);
    if (tab === null) throw new Error(`The tab ${id} is closed.`);
    return tab.opening;
  };

  const parts = useTerminalPane(
    screen,
    () => ({
      request: requestOf(opening(), false),
      slot: id,
      preferences: settings.value.value.terminal,
      isDark: isDark.value,
      words: { skipped: (bytes) => t("terminal.skipped", { size: format.value.bytes(bytes) }) },
      askPaste,
      onPasteRefused: ({ bytes, max }) => {
        const [size, limit] = [format.value.bytes(bytes), format.value.bytes(max)];
        notify.warn(t("paste.tooLarge", { size, limit }));
      },
      onCommand: run,
    }),
    () => undefined,
  );
  const { pane, snapshot, title, size } = parts;

  let session: string | null = null;
  let startedAt: number | null = null;
  let endedAt: number | null = null;
  watch([snapshot, title, size], () => {
    const { phase, session: current } = snapshot.value;
    if (current !== session) [session, startedAt, endedAt] = [current, null, null];
    if (phase.state === "live") startedAt ??= Date.now();
    if (phase.state === "ended") endedAt ??= Date.now();
    workbench.tabs.setStatus(id, {
      isAsleep: false,
      snapshot: snapshot.value,
      title: title.value,
      size: size.value,
      startedAt,
      endedAt,
    });
  });
  watch([preferences, dark], () => {
    pane.value?.setPreferences(preferences.value.terminal, dark.value);
  });
  watch(
    () => snapshot.value.notice,
    (notice) => {
      if (notice?.code === "idle_soon") notify.warn(t("terminal.idleSoon", { ...notice.data }));
      else if (typeof notice?.data.message === "string") {
        const { message, ...data } = notice.data;
        notify.warn(errorText({ code: notice.code, message, data }));
      }
    },
  );

  function askPaste(question: PasteQuestion): Promise<PasteAnswer> {
    return new Promise((resolve) => {
      paste.value = {
        question,
        answer: (answer) => {
          paste.value = null;
          resolve(answer);
        },
      };
    });
  }

  function run(command: KeyCommand): void {
    switch (command) {
      case "find":
        isFinding.value = true;
        break;
      case "palette":
        workbench.isPaletteOpen.value = true;
        break;
      case "leave":
        leave();
        break;
      case "font-larger":
        zoom(1);
        break;
      case "font-smaller":
        zoom(-1);
        break;
      case "font-reset":
        zoom(0);
        break;
      case "copy":
      case "paste":
      case "tab":
        break;
    }
  }

  /** To the tab, or in full screen, where tabs are hidden, to the bar. */
  function leave(): void {
    const tabButton = document.getElementById(`tab-button-${id}`);
    (tabButton ?? root.value?.querySelector("button"))?.focus();
  }

  /** Larger, smaller, or (0) as at the beginning. */
  function zoom(step: number): void {
    const now = settings.value.value.terminal;
    const wanted = step === 0 ? DEFAULT_PREFERENCES.fontSize : now.fontSize + step;
    settings.change({ terminal: withFontSize(now, wanted) });
  }

  async function copy(): Promise<void> {
    const isCopied = await pane.value?.copy();
    if (isCopied) notify.success(t("notify.copied"));
    else notify.warn(t("terminal.nothingSelected"));
    pane.value?.focus();
  }

  /** Start again in this tab; what still runs here is ended first, when it is ours to end. */
  function startAgain(change: { shell?: Shell; command?: readonly string[] | null }): void {
    const before = opening();
    const next = { ...before, ...change, session: null, role: "owner" as const };
    const { phase, role, kind } = snapshot.value;
    const isOurs = role === "owner" && kind !== "attach";
    if (isOurs && (phase.state === "live" || phase.state === "starting")) pane.value?.end();
    workbench.reopen(id, next);
    pane.value?.restart(requestOf(next, true));
  }

  function closeFind(): void {
    isFinding.value = false;
    pane.value?.focus();
  }

  function toggleFullScreen(): void {
    // The whole page, because dialogs and menus are drawn at its end; the frame hides itself.
    if (document.fullscreenElement === null) void document.documentElement.requestFullscreen();
    else void document.exitFullscreen();
    pane.value?.focus();
  }

  function end(): void {
    pane.value?.end();
  }

  const commands = (): readonly Command[] => {
    if (workbench.tabs.state.value.activeId !== id) return [];
    return [
      {
        id: "find",
        label: "command.find",
        shortcut: SHORTCUTS.find,
        run: () => (isFinding.value = true),
      },
      { id: "copy", label: "command.copy", shortcut: SHORTCUTS.copy, run: () => void copy() },
      {
        id: "larger",
        label: "command.fontLarger",
        shortcut: SHORTCUTS.fontLarger,
        run: () => zoom(1),
      },
      {
        id: "smaller",
        label: "command.fontSmaller",
        shortcut: SHORTCUTS.fontSmaller,
        run: () => zoom(-1),
      },
      { id: "full", label: "command.fullScreen", run: toggleFullScreen },
      { id: "clear", label: "command.clearScrollback", run: () => pane.value?.clearScrollback() },
      { id: "end", label: "command.end", run: end },
    ];
  };
  onBeforeUnmount(workbench.commands.add(commands));

  /** For screen readers: said once for each change, without the seconds of a countdown. */
  const announcement = computed(() => {
    const { phase } = snapshot.value;
    return phase.state === "reconnecting" ? t("state.lost") : phaseText(snapshot.value, 0);
  });

  return {
    ...parts,
    isFinding,
    paste,
    announcement,
    zoom,
    copy,
    startAgain,
    closeFind,
    toggleFullScreen,
    end,
  };
}
