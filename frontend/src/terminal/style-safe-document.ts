/**
 * A document for xterm.js under a policy that forbids inline styles.
 *
 * xterm.js 6 fills `<style>` elements and `style` attributes with text (DomRenderer, Viewport,
 * DomRendererRowFactory), which `style-src 'self'` blocks: colours and fonts of its DOM renderer
 * and the colour of its scroll bar would be missing. This document hands out elements that look the
 * same to xterm.js and go through the CSSOM, which the policy allows. Not needed any more when
 * xterm.js uses constructed style sheets itself.
 */

import type { Disposable } from "@/lib/disposable";
import { DisposableStore } from "@/lib/disposable";

export interface StyleSafeDocument extends Disposable {
  readonly document: Document;
}

/** Wrap `real`; disposing the answer removes every style sheet that was made through it. */
export function createStyleSafeDocument(real: Document): StyleSafeDocument {
  const store = new DisposableStore();
  const createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    if (name === "style") return createStyle(real, store);
    const element = real.createElement(name, options);
    if (name === "span") element.setAttribute = setAttributeThroughCssom;
    return element;
  };
  const methods = new Map<PropertyKey, unknown>([["createElement", createElement]]);
  const document = new Proxy(real, {
    get(target, property) {
      const known = methods.get(property);
      if (known !== undefined) return known;
      // The real document as the receiver: its accessors refuse any other object.
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const method: unknown = value.bind(target);
      methods.set(property, method);
      return method;
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  });
  return {
    document,
    dispose() {
      store.dispose();
    },
  };
}

/** An element whose text becomes a constructed style sheet while it is in use. */
function createStyle(real: Document, store: DisposableStore): HTMLElement {
  const sheet = new CSSStyleSheet();
  real.adoptedStyleSheets = [...real.adoptedStyleSheets, sheet];
  const adoption = store.onDispose(() => {
    real.adoptedStyleSheets = real.adoptedStyleSheets.filter((other) => other !== sheet);
  });
  const element = real.createElement("template");
  let text = "";
  Object.defineProperty(element, "textContent", {
    get: () => text,
    set(next: string) {
      text = next;
      sheet.replaceSync(next);
    },
  });
  element.remove = () => {
    adoption.dispose();
    Element.prototype.remove.call(element);
  };
  return element;
}

function setAttributeThroughCssom(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
