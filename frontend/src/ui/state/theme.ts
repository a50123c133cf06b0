/** Whether the page is dark, and the class that says so to the style sheets. */

import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import type { SettingsStore } from "./settings";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const dark = new Observable(system.matches);

/** True while the page is dark. */
export const isDark: ReadonlyObservable<boolean> = dark;

/** Follow the settings and the system from now on. */
export function followTheme(settings: SettingsStore): void {
  const apply = () => {
    const { theme } = settings.value.value;
    dark.value = theme === "dark" || (theme === "system" && system.matches);
    document.documentElement.classList.toggle("dark", dark.value);
    document.documentElement.classList.toggle("light", !dark.value);
  };
  settings.value.onChange(apply);
  system.addEventListener("change", apply);
  apply();
}
