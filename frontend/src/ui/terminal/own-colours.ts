/** A person's own colour scheme as a list that a form can show. */

import type { TerminalColours } from "@/terminal/preferences";
import { TERMINAL_THEMES } from "@/terminal/themes";

const SINGLE = ["background", "foreground", "cursor", "selection"] as const;

export interface Colour {
  readonly id: string;
  /** A key under `colour.` of the catalogue. */
  readonly name: string;
  /** Of an ANSI colour, from 0. */
  readonly number: number;
  readonly value: string;
}

export const OwnColours = {
  /** Where one's own colours begin. */
  initial: (): TerminalColours | null => TERMINAL_THEMES[0]?.colours ?? null,

  list(colours: TerminalColours): readonly Colour[] {
    return [
      ...SINGLE.map((name) => ({ id: name, name, number: 0, value: colours[name] })),
      ...colours.ansi.map((value, number) => ({ id: String(number), name: "ansi", number, value })),
    ];
  },

  change(colours: TerminalColours, id: string, value: string): TerminalColours {
    const single = SINGLE.find((name) => name === id);
    if (single !== undefined) return { ...colours, [single]: value };
    return {
      ...colours,
      ansi: colours.ansi.map((old, index) => (String(index) === id ? value : old)),
    };
  },
};
