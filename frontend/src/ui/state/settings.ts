/** What a person has chosen about the interface, kept in the browser and, once signed in, on the server. */

import { Observable, type ReadonlyObservable } from "@/lib/emitter";
import { parsePreferences, type TerminalPreferences } from "@/terminal/preferences";

export const LOCALES = ["en", "zh-hans"] as const;
export const THEMES = ["system", "light", "dark"] as const;
export type Locale = (typeof LOCALES)[number];
export type Theme = (typeof THEMES)[number];

export interface Settings {
  readonly locale: Locale;
  readonly theme: Theme;
  readonly isSidebarOpen: boolean;
  /** Pixels, 200 to 560. */
  readonly sidebarWidth: number;
  readonly terminal: TerminalPreferences;
}

export interface SettingsEnvironment {
  readonly storage: Pick<Storage, "getItem" | "setItem">;
  /** The browser's languages, the preferred one first. */
  readonly languages: readonly string[];
}

export const SIDEBAR_WIDTH = { min: 200, max: 560, default: 280 } as const;

const STORAGE_KEY = "hatchway.settings";

/** A person who moves a slider saves once. */
const SAVE_DELAY_MS = 800;

/** Read, change and save the settings. */
export class SettingsStore {
  readonly #settings: Observable<Settings>;
  readonly #environment: SettingsEnvironment;
  #save: ((settings: Settings) => Promise<void>) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(environment: SettingsEnvironment) {
    this.#environment = environment;
    const stored = parseJson(environment.storage.getItem(STORAGE_KEY));
    this.#settings = new Observable(parseSettings(stored, environment.languages));
  }

  get value(): ReadonlyObservable<Settings> {
    return this.#settings;
  }

  change(change: Partial<Settings>): void {
    this.#apply({ ...this.#settings.value, ...change });
    this.#saveSoon();
  }

  changeTerminal(change: Partial<TerminalPreferences>): void {
    this.change({ terminal: { ...this.#settings.value.terminal, ...change } });
  }

  /** Take what the server keeps, and save there from now on. */
  connect(
    stored: Readonly<Record<string, unknown>>,
    save: (settings: Settings) => Promise<void>,
  ): void {
    this.#save = save;
    if (Object.keys(stored).length > 0) {
      this.#apply(parseSettings({ ...this.#settings.value, ...stored }, []));
    }
  }

  disconnect(): void {
    this.#save = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #apply(settings: Settings): void {
    this.#settings.value = settings;
    try {
      this.#environment.storage.setItem(STORAGE_KEY, JSON.stringify(settings));
    } catch {
      // Storage is full or forbidden: the choice holds until the page is left.
    }
  }

  #saveSoon(): void {
    if (this.#save === null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      // A failure is not worth a message: the browser keeps the choice, and the next one tries again.
      this.#save?.(this.#settings.value).catch(() => undefined);
    }, SAVE_DELAY_MS);
  }
}

/** Read stored JSON; what is missing or wrong becomes the default. */
export function parseSettings(stored: unknown, languages: readonly string[]): Settings {
  const fields = (typeof stored === "object" && stored !== null ? stored : {}) as Partial<
    Record<keyof Settings, unknown>
  >;
  const width = typeof fields.sidebarWidth === "number" ? fields.sidebarWidth : Number.NaN;
  return {
    locale: LOCALES.find((locale) => locale === fields.locale) ?? localeOf(languages),
    theme: THEMES.find((theme) => theme === fields.theme) ?? "system",
    isSidebarOpen: fields.isSidebarOpen !== false,
    sidebarWidth: Number.isFinite(width)
      ? Math.min(SIDEBAR_WIDTH.max, Math.max(SIDEBAR_WIDTH.min, Math.round(width)))
      : SIDEBAR_WIDTH.default,
    terminal: parsePreferences(fields.terminal),
  };
}

function localeOf(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return "zh-hans";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
