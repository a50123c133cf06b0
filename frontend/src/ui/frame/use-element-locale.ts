/** Element Plus' own texts in the chosen language. */

import type { Language } from "element-plus/es/locale/index";
import en from "element-plus/es/locale/lang/en";
import { shallowRef, watch } from "vue";

import { useApp } from "@/ui/state/app-context";
import { useObservable } from "@/ui/state/use-observable";

export function useElementLocale() {
  const { settings } = useApp();
  const value = useObservable(settings.value);
  const locale = shallowRef<Language>(en);
  watch(
    () => value.value.locale,
    async (wanted) => {
      locale.value =
        wanted === "en" ? en : (await import("element-plus/es/locale/lang/zh-cn")).default;
    },
    { immediate: true },
  );
  return locale;
}
