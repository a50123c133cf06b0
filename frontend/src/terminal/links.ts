/** Links in the output of a program: shown as they are, opened only when they lead to the web. */

const PROTOCOLS: readonly string[] = ["http:", "https:"];

/** Longer addresses are no links that a person can judge. */
const MAX_LENGTH = 2048;

/** Return the address that may be opened, in the form that the browser will use; else null. */
export function safeLink(text: string): string | null {
  if (text.length > MAX_LENGTH) return null;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (!PROTOCOLS.includes(url.protocol)) return null;
  // "https://bank.example@evil.example" only serves to deceive.
  if (url.username !== "" || url.password !== "") return null;
  return url.href;
}

/** Open a safe link in a new tab that knows nothing of this one. */
export function openLink(text: string): void {
  const href = safeLink(text);
  if (href !== null) window.open(href, "_blank", "noopener,noreferrer");
}
