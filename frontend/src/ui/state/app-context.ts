/** What every page may use, the sign-in page included. */

import { inject, type InjectionKey } from "vue";

import type { Api } from "@/api";
import type { Account } from "./account";
import type { SettingsStore } from "./settings";

export interface AppContext {
  readonly api: Api;
  readonly account: Account;
  readonly settings: SettingsStore;
}

export const APP_CONTEXT: InjectionKey<AppContext> = Symbol("app");

export function useApp(): AppContext {
  const context = inject(APP_CONTEXT);
  if (context === undefined) throw new Error("The application context is missing.");
  return context;
}
