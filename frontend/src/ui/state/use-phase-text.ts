/** A session's state in words. */

import { useI18n } from "vue-i18n";

import type { SessionSnapshot } from "@/terminal/session-state";
import { exitWord } from "./phase";
import { useErrorText } from "./use-error-text";

export function usePhaseText() {
  const i18n = useI18n();
  const { t } = i18n;
  const { errorText, reasonText } = useErrorText();

  /** A few words: "live", "reconnecting in 3 s", "ended: exit 137 (killed)". */
  function phaseText(snapshot: SessionSnapshot, now: number): string {
    const { phase } = snapshot;
    switch (phase.state) {
      case "reconnecting": {
        const seconds = Math.max(0, Math.ceil((phase.retryAt - now) / 1000));
        return seconds === 0 ? t("state.reconnectingNow") : t("state.reconnecting", { seconds });
      }
      case "ended":
        return endText(phase.reason, phase.exitCode);
      case "failed":
        return t("state.failed");
      default:
        return t(`state.${phase.state}`);
    }
  }

  /** "exit code 137 (killed)", or why else it ended. */
  function endText(reason: string, exitCode: number | null): string {
    if (reason === "exited" && exitCode !== null) {
      const word = exitWord(exitCode);
      const meaning = word === null ? "" : ` ${t("end.meaning", { meaning: t(word) })}`;
      return t("end.exitCode", { code: exitCode }) + meaning;
    }
    const key = `end.${reason}`;
    return i18n.te(key) ? t(key) : reason;
  }

  return { phaseText, endText, errorText, reasonText };
}
