/** Keys that work everywhere. A terminal that has the focus keeps what belongs to its program. */

import { onBeforeUnmount, onMounted } from "vue";

import type { Workbench } from "@/ui/state/workbench";

export function useGlobalKeys(workbench: Workbench, toggleSidebar: () => void): void {
  function press(event: KeyboardEvent) {
    if (event.defaultPrevented) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const isInTerminal = target?.closest(".xterm") !== null && target !== null;
    const isTyping = target?.matches("input, textarea, select") ?? false;
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;

    if (event.altKey && !event.ctrlKey && !event.metaKey && /^Digit[1-9]$/.test(event.code)) {
      const tab = workbench.tabs.state.value.tabs[Number(event.code.slice(-1)) - 1];
      if (tab === undefined) return;
      workbench.show(tab.id);
    } else if (isCommand && event.code === "KeyK" && (!isInTerminal || event.metaKey)) {
      workbench.isPaletteOpen.value = !workbench.isPaletteOpen.value;
    } else if (isCommand && event.code === "KeyB" && !isInTerminal) toggleSidebar();
    else if (event.key === "?" && !isTyping && !isInTerminal) {
      workbench.areShortcutsOpen.value = true;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  onMounted(() => {
    window.addEventListener("keydown", press);
  });
  onBeforeUnmount(() => {
    window.removeEventListener("keydown", press);
  });
}
