/** Split a command line into arguments as a shell would quote them, without running anything. */

/**
 * Split at blanks; single and double quotes keep blanks, a backslash keeps the next character
 * (within double quotes only before `"` and `\`). Null while a quote is open.
 */
export function splitArguments(line: string): readonly string[] | null {
  const found: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    const next = line.charAt(index + 1);
    if (quote !== "") {
      if (character === quote) quote = "";
      else if (quote === '"' && character === "\\" && (next === '"' || next === "\\")) {
        word = (word ?? "") + next;
        index += 1;
      } else word = (word ?? "") + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === "\\" && next !== "") {
      word = (word ?? "") + next;
      index += 1;
    } else if (/\s/.test(character)) {
      if (word !== null) found.push(word);
      word = null;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") return null;
  if (word !== null) found.push(word);
  return found;
}
