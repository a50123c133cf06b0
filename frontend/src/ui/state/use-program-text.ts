/** What runs in a terminal, in a word or two. */

import { useI18n } from "vue-i18n";

import type { SessionKind, Shell } from "@/api";

export interface Started {
  readonly kind: SessionKind;
  readonly shell: Shell;
  readonly command: readonly string[] | null;
}

export function useProgramText() {
  const { t } = useI18n();

  /** "bash", "python3", "attach"; `known` is the server's word, "auto" while it has none. */
  function programText({ kind, shell, command }: Started, known: string | null): string {
    if (kind === "attach") return t("attach.label");
    if (known !== null && known !== "" && known !== "auto" && known !== "attach") return known;
    return shell === "custom" ? (command?.[0] ?? t("shell.custom")) : t(`shell.${shell}`);
  }

  return { programText };
}
