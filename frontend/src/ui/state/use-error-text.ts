/** Errors, end reasons and states as sentences in the chosen language. */

import { useI18n } from "vue-i18n";

import { ApiError, type ErrorData } from "@/api";
import { type Because, readBecause } from "@/protocol/fields";
import type { Container, ContainerAction } from "@/protocol/targets";

export interface ErrorLike {
  readonly code: string;
  readonly message: string;
  readonly data: ErrorData;
}

export function useErrorText() {
  const i18n = useI18n();
  const { t, locale } = i18n;

  /** Say what happened: the catalogue's sentence, else the server's, which is English. */
  function errorText({ code, message, data }: ErrorLike): string {
    const because = readBecause(data.because);
    if (because !== null) return reasonText(because, message);
    const key = `error.${code}`;
    const isServerBetter = locale.value === "en" && message !== "";
    if (isServerBetter || !i18n.te(key)) return message === "" ? t("error.unknown") : message;
    return t(key, { ...data });
  }

  /**
   * Say a reason: in English as the server does, whose sentence knows more, else from the
   * catalogue; in the server's English where that has no translation.
   */
  function reasonText(because: Because | null, sentence: string): string {
    const isServerBetter = locale.value === "en" && sentence !== "";
    if (because === null || isServerBetter) return sentence === "" ? t("error.unknown") : sentence;
    const { code, data } = because;
    const key = [`reason.${code}`, `error.${code}`].find((candidate) => i18n.te(candidate));
    if (key === undefined) return sentence === "" ? t("error.unknown") : sentence;
    const { owner } = data;
    const ask = typeof owner === "string" && owner !== "" ? t("reason.ask", { owner }) : "";
    return t(key, { ...data }) + ask;
  }

  /** Say why something may not be done with a container. */
  function refusalText({ why, because }: Container, action: ContainerAction): string {
    return reasonText(because[action] ?? null, why[action] ?? t("tree.notAllowed"));
  }

  /** The same for whatever was thrown. */
  function thrownText(reason: unknown): string {
    return reason instanceof ApiError ? errorText(reason) : t("error.unknown");
  }

  return { errorText, reasonText, refusalText, thrownText };
}
