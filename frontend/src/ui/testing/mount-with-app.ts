/** Mount a component as the application does: real catalogues, a router, a made-up server. */

import { mount } from "@vue/test-utils";
import { createI18n } from "vue-i18n";
import { createMemoryHistory, createRouter } from "vue-router";
import type { Component } from "vue";

import type { Api } from "@/api";
import en from "@/locales/en.json";
import zhHans from "@/locales/zh-hans.json";
import { Account } from "@/ui/state/account";
import { APP_CONTEXT } from "@/ui/state/app-context";
import { SettingsStore } from "@/ui/state/settings";

export function mountWithApp(
  component: Component,
  { props = {}, api = {}, locale = "en" }: { props?: object; api?: Partial<Api>; locale?: string },
) {
  const i18n = createI18n({
    legacy: false,
    locale,
    fallbackLocale: "en",
    messages: { en, "zh-Hans": zhHans },
  });
  const page = { render: () => null };
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: "/:rest(.*)*", component: page }],
  });
  const context = {
    api: api as Api,
    account: new Account(api as Api),
    settings: new SettingsStore({
      storage: { getItem: () => null, setItem: () => undefined },
      languages: ["en"],
    }),
  };
  const wrapper = mount(component, {
    props: props as Record<string, unknown>,
    attachTo: document.body,
    global: { plugins: [i18n, router], provide: { [APP_CONTEXT as symbol]: context } },
  });
  return { wrapper, router, context };
}
