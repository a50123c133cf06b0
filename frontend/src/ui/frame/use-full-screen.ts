/** Full screen, however it began and ended. */

import { onBeforeUnmount } from "vue";

import { useObservable } from "@/ui/state/use-observable";
import type { Workbench } from "@/ui/state/workbench";

export function useFullScreen(workbench: Workbench) {
  const read = () => {
    workbench.isFullScreen.value = document.fullscreenElement !== null;
  };
  document.addEventListener("fullscreenchange", read);
  onBeforeUnmount(() => {
    document.removeEventListener("fullscreenchange", read);
  });
  return useObservable(workbench.isFullScreen);
}
