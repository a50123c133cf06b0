/** Short messages at the edge of the window. */

import { ElMessage } from "element-plus/es/components/message/index";
import { useI18n } from "vue-i18n";

import { useErrorText } from "./use-error-text";

import "element-plus/es/components/message/style/css";

export function useNotify() {
  const { t } = useI18n();
  const { thrownText } = useErrorText();

  function show(type: "success" | "warning" | "error", message: string) {
    ElMessage({ type, message, grouping: true, showClose: type !== "success", plain: true });
  }

  return {
    success: (message: string) => show("success", message),
    warn: (message: string) => show("warning", message),

    /** Wait for something and show why it failed; true when it did not. */
    async whenFailed(work: Promise<unknown>): Promise<boolean> {
      try {
        await work;
        return true;
      } catch (reason) {
        show("error", thrownText(reason));
        return false;
      }
    },

    async copy(text: string): Promise<void> {
      try {
        await navigator.clipboard.writeText(text);
        show("success", t("notify.copied"));
      } catch {
        show("warning", t("notify.copyFailed"));
      }
    },
  };
}
