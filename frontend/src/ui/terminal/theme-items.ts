/** The terminal's colour schemes as a menu. */

import { TERMINAL_THEMES } from "@/terminal/themes";
import type { MenuItem } from "@/ui/parts/menu-item";

export function themeItems(
  chosen: string,
  autoLabel: string,
  choose: (theme: string) => void,
): readonly MenuItem[] {
  return [{ id: "auto", name: autoLabel }, ...TERMINAL_THEMES].map(({ id, name }) => ({
    id,
    label: name,
    isChecked: chosen === id,
    run: () => choose(id),
  }));
}
