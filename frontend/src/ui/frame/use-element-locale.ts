/** Element Plus' own texts in the chosen language. */

import { localeContextKey } from "element-plus/es/hooks/use-locale/index";
import type { Language } from "element-plus/es/locale/index";
import en from "element-plus/es/locale/lang/en";
import { provide, shallowRef, watch } from "vue";

import { useApp } from "@/ui/state/app-context";
import { useObservable } from "@/ui/state/use-observable";

export function useElementLocale(): void {
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
  provide(localeContextKey, locale);
}
