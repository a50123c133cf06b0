/** Languages: catalogues load when they are needed. */

import { createI18n } from "vue-i18n";

import type { Locale } from "@/ui/state/settings";

const CATALOGUES = {
  en: () => import("@/locales/en.json"),
  "zh-hans": () => import("@/locales/zh-hans.json"),
} as const;

/** BCP 47, for the document and for Intl. */
export const LANGUAGE_TAGS: Readonly<Record<Locale, string>> = {
  en: "en",
  "zh-hans": "zh-Hans",
};

export const i18n = createI18n({
  legacy: false,
  locale: "en",
  fallbackLocale: "en",
  missingWarn: false,
  fallbackWarn: false,
  messages: {},
});

/** Load a catalogue and switch to it. */
export async function switchLocale(locale: Locale): Promise<void> {
  const tag = LANGUAGE_TAGS[locale];
  if (!i18n.global.availableLocales.includes(tag)) {
    const { default: messages } = await CATALOGUES[locale]();
    i18n.global.setLocaleMessage(tag, messages);
  }
  i18n.global.locale.value = tag;
  document.documentElement.lang = tag;
}
