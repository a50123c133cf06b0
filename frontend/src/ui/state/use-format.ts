/** Ages, durations, times, sizes and numbers as the chosen language writes them. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";

const SECOND = 1000;
const UNITS = [
  ["day", 86_400 * SECOND],
  ["hour", 3_600 * SECOND],
  ["minute", 60 * SECOND],
  ["second", SECOND],
] as const;
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export interface Format {
  /** "5m", "3d": the largest unit alone. */
  age(ms: number): string;
  /** "1 hr 5 min": the two largest units. */
  duration(ms: number): string;
  /** "5 minutes ago". */
  ago(ms: number): string;
  /** Date and time. */
  time(iso: string): string;
  bytes(count: number): string;
  number(value: number): string;
}

/** Make the functions for one BCP 47 language. */
export function formatFor(language: string): Format {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const number = new Intl.NumberFormat(language);
  const unit = (value: number, name: string, display: "narrow" | "short") =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: display }).format(
      value,
    );
  return {
    age(ms) {
      const [name, size] = largest(ms);
      return unit(Math.max(0, Math.floor(ms / size)), name, "narrow");
    },
    duration(ms) {
      const [name, size] = largest(ms);
      const whole = Math.floor(ms / size);
      const next = UNITS[UNITS.findIndex(([other]) => other === name) + 1];
      const first = unit(Math.max(0, whole), name, "short");
      if (next === undefined) return first;
      const rest = Math.floor((ms - whole * size) / next[1]);
      return rest === 0 ? first : `${first} ${unit(rest, next[0], "short")}`;
    },
    ago(ms) {
      if (ms < 5 * SECOND) return relative.format(0, "second");
      const [name, size] = largest(ms);
      return relative.format(-Math.floor(ms / size), name);
    },
    time: (iso) => moment.format(new Date(iso)),
    bytes(count) {
      let value = count;
      let index = 0;
      while (value >= 1000 && index < SIZES.length - 1) {
        value /= 1000;
        index += 1;
      }
      return new Intl.NumberFormat(language, {
        style: "unit",
        unit: SIZES[index] ?? "byte",
        unitDisplay: "short",
        maximumFractionDigits: index === 0 || value >= 100 ? 0 : 1,
      }).format(value);
    },
    number: (value) => number.format(value),
  };
}

export function useFormat() {
  const { locale } = useI18n();
  return computed(() => formatFor(locale.value));
}

function largest(ms: number): readonly ["day" | "hour" | "minute" | "second", number] {
  return UNITS.find(([, size]) => ms >= size) ?? ["second", SECOND];
}
