/** Find what a person means by a few letters. */

export interface Match {
  /** Higher is better. */
  readonly score: number;
  /** Indexes of the letters that matched. */
  readonly marks: readonly number[];
}

const BOUNDARY = /[\s/._:·-]/;

/** Every letter of `query` in order within `text`; null when one is missing. Blanks separate words that may stand in any order. */
export function fuzzyMatch(query: string, text: string): Match | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const lower = text.toLowerCase();
  let score = 0;
  const marks: number[] = [];
  for (const word of words) {
    const found = matchWord(word, lower);
    if (found === null) return null;
    score += found.score;
    marks.push(...found.marks);
  }
  // Of two that match alike the shorter one is meant.
  return { score: score - text.length / 100, marks };
}

function matchWord(word: string, text: string): Match | null {
  const start = text.indexOf(word);
  if (start >= 0) {
    const isAtBoundary = start === 0 || BOUNDARY.test(text.charAt(start - 1));
    const marks = Array.from(word, (_, index) => start + index);
    return { score: word.length * (isAtBoundary ? 4 : 3), marks };
  }
  const marks: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of word) {
    const index = text.indexOf(letter, from);
    if (index < 0) return null;
    const isAtBoundary = index === 0 || BOUNDARY.test(text.charAt(index - 1));
    score += index === from && marks.length > 0 ? 2 : isAtBoundary ? 1.5 : 0.25;
    marks.push(index);
    from = index + 1;
  }
  return { score, marks };
}

export interface Scored<T> extends Match {
  readonly item: T;
}

/** The best matches first; equal ones in their order. */
export function fuzzyFilter<T>(
  query: string,
  items: readonly T[],
  textOf: (item: T) => string,
  max: number,
): readonly Scored<T>[] {
  const found: Scored<T>[] = [];
  for (const item of items) {
    const match = fuzzyMatch(query, textOf(item));
    if (match !== null) found.push({ ...match, item });
  }
  return found.sort((one, two) => two.score - one.score).slice(0, max);
}
