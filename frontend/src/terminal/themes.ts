/** Colour schemes of the terminal. */

import type { TerminalColours, TerminalPreferences } from "./preferences";

export interface TerminalTheme {
  /** What preferences remember. */
  readonly id: string;
  /** A proper name, the same in every language. */
  readonly name: string;
  readonly isDark: boolean;
  readonly colours: TerminalColours;
}

function theme(
  id: string,
  name: string,
  isDark: boolean,
  [background, foreground, cursor, selection]: readonly [string, string, string, string],
  ansi: string,
): TerminalTheme {
  const colours = { background, foreground, cursor, selection, ansi: ansi.split(" ") };
  return { id, name, isDark, colours };
}

/** The page's own two, then six that people know from their desks. */
export const TERMINAL_THEMES: readonly TerminalTheme[] = [
  theme(
    "hatchway-dark",
    "Hatchway Dark",
    true,
    ["#0f1416", "#d7dee0", "#2dd4bf", "#2a4a4f"],
    "#1c2427 #f2777a #7fce8f #e5c76b #6cb6ff #d2a8ff #56d4cf #c5ced0 #66757a #ff9a9c #a3e5ae #f5dc92 #96ccff #e2c5ff #86e8e3 #f2f6f7",
  ),
  theme(
    "hatchway-light",
    "Hatchway Light",
    false,
    ["#fbfcfc", "#1f2a2e", "#0d9488", "#bfe3df"],
    "#1f2a2e #b42318 #1a7f37 #8a6100 #0a5fc2 #8240c4 #0b7a75 #5c6b70 #4f5d62 #cf3a2e #2b8f47 #9a7000 #2473d1 #9757d6 #158a84 #2f3c41",
  ),
  theme(
    "dracula",
    "Dracula",
    true,
    ["#282a36", "#f8f8f2", "#f8f8f2", "#44475a"],
    "#21222c #ff5555 #50fa7b #f1fa8c #bd93f9 #ff79c6 #8be9fd #f8f8f2 #6272a4 #ff6e6e #69ff94 #ffffa5 #d6acff #ff92df #a4ffff #ffffff",
  ),
  theme(
    "nord",
    "Nord",
    true,
    ["#2e3440", "#d8dee9", "#d8dee9", "#4c566a"],
    "#3b4252 #bf616a #a3be8c #ebcb8b #81a1c1 #b48ead #88c0d0 #e5e9f0 #4c566a #bf616a #a3be8c #ebcb8b #81a1c1 #b48ead #8fbcbb #eceff4",
  ),
  theme(
    "gruvbox-dark",
    "Gruvbox Dark",
    true,
    ["#282828", "#ebdbb2", "#ebdbb2", "#504945"],
    "#282828 #cc241d #98971a #d79921 #458588 #b16286 #689d6a #a89984 #928374 #fb4934 #b8bb26 #fabd2f #83a598 #d3869b #8ec07c #ebdbb2",
  ),
  theme(
    "solarized-dark",
    "Solarized Dark",
    true,
    ["#002b36", "#839496", "#93a1a1", "#073642"],
    "#073642 #dc322f #859900 #b58900 #268bd2 #d33682 #2aa198 #eee8d5 #002b36 #cb4b16 #586e75 #657b83 #839496 #6c71c4 #93a1a1 #fdf6e3",
  ),
  theme(
    "solarized-light",
    "Solarized Light",
    false,
    ["#fdf6e3", "#657b83", "#586e75", "#eee8d5"],
    "#073642 #dc322f #859900 #b58900 #268bd2 #d33682 #2aa198 #eee8d5 #002b36 #cb4b16 #586e75 #657b83 #839496 #6c71c4 #93a1a1 #fdf6e3",
  ),
  theme(
    "one-light",
    "One Light",
    false,
    ["#fafafa", "#383a42", "#526eff", "#e5e5e6"],
    "#383a42 #e45649 #50a14f #c18401 #4078f2 #a626a4 #0184bc #a0a1a7 #696c77 #df6c75 #98c379 #e4c07a #61afef #c577dd #56b5c1 #ffffff",
  ),
];

/** The colours that preferences ask for; `isDark` is the page's, for the theme "auto". */
export function coloursFor(preferences: TerminalPreferences, isDark: boolean): TerminalColours {
  if (preferences.theme === "own" && preferences.ownColours !== null) return preferences.ownColours;
  const id =
    preferences.theme === "auto" || preferences.theme === "own"
      ? `hatchway-${isDark ? "dark" : "light"}`
      : preferences.theme;
  const found = TERMINAL_THEMES.find((candidate) => candidate.id === id) ?? TERMINAL_THEMES[0];
  if (found === undefined) throw new Error("There is at least one theme.");
  return found.colours;
}
