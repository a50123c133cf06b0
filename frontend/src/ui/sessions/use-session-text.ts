/** A stored session in words. */

import { useI18n } from "vue-i18n";

import type { Session } from "@/api";
import { useFormat } from "@/ui/state/use-format";
import { usePhaseText } from "@/ui/state/use-phase-text";
import { useProgramText } from "@/ui/state/use-program-text";

export function useSessionText() {
  const { t } = useI18n();
  const { endText } = usePhaseText();
  const { programText } = useProgramText();
  const format = useFormat();

  function stateText(session: Session, now: number): string {
    if (session.state === "ended")
      return endText(session.end_reason ?? "failed", session.exit_code);
    if (session.state === "starting") return t("state.starting");
    if (session.attached) {
      const watched =
        session.viewers > 0
          ? ` · ${t("status.viewers", { n: session.viewers }, session.viewers)}`
          : "";
      return t("sessions.attached") + watched;
    }
    if (session.detached_until === null) return t("sessions.detached");
    const left = Math.max(0, Date.parse(session.detached_until) - now);
    return t("sessions.detachedFor", { duration: format.value.age(left) });
  }

  function toneOf(session: Session) {
    if (session.state === "ended") {
      const isFine = session.end_reason === "closed_by_owner" || (session.exit_code ?? 1) === 0;
      return isFine ? ("off" as const) : ("bad" as const);
    }
    return session.attached ? ("ok" as const) : ("wait" as const);
  }

  function shellText(session: Session): string {
    const { kind, shell, command, program } = session;
    if (kind === "exec" && shell === "custom") return command.join(" ");
    return programText(session, program);
  }

  return { stateText, toneOf, shellText };
}
