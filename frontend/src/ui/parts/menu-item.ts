/** Entries of a popup menu. */

import type { FunctionalComponent } from "vue";

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly icon?: FunctionalComponent | undefined;
  readonly shortcut?: string | undefined;
  /** Why it cannot be chosen; shown under the label. */
  readonly refusal?: string | undefined;
  readonly isChecked?: boolean | undefined;
  readonly isDanger?: boolean | undefined;
  /** A line above this entry. */
  readonly isGroupStart?: boolean | undefined;
  readonly run: () => void;
}

export interface MenuPlace {
  readonly x: number;
  readonly y: number;
  /** The menu's right edge stands at x. */
  readonly isRightAligned?: boolean | undefined;
}
