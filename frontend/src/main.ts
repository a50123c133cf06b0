/** Mount the application. */

import { createApp } from "vue";

import { Api } from "@/api";
import { createAppRouter } from "@/router";
import App from "@/ui/app.vue";
import { i18n, switchLocale } from "@/ui/i18n";
import { Account } from "@/ui/state/account";
import { APP_CONTEXT } from "@/ui/state/app-context";
import { SettingsStore } from "@/ui/state/settings";
import { followTheme } from "@/ui/state/theme";

import "@/styles/tokens.css";
import "@/styles/base.css";

const api = new Api();
const account = new Account(api);
const settings = new SettingsStore({ storage: localStorage, languages: navigator.languages });

followTheme(settings);
settings.value.onChange(({ locale }) => void switchLocale(locale));
await Promise.all([switchLocale(settings.value.value.locale), account.load()]);

const app = createApp(App);
app.provide(APP_CONTEXT, { api, account, settings });
app.use(i18n).use(createAppRouter(account)).mount("#app");
