/** Errors, end reasons and states as sentences in the chosen language. */

import { useI18n } from "vue-i18n";

import { ApiError, type ErrorData } from "@/api";

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
    const key = `error.${code}`;
    const isServerBetter = locale.value === "en" && message !== "";
    if (isServerBetter || !i18n.te(key)) return message === "" ? t("error.unknown") : message;
    return t(key, { ...data });
  }

  /** The same for whatever was thrown. */
  function thrownText(reason: unknown): string {
    return reason instanceof ApiError ? errorText(reason) : t("error.unknown");
  }

  return { errorText, thrownText };
}
