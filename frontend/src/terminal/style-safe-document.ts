/**
 * A document for xterm.js under a policy that forbids inline styles.
 *
 * xterm.js 6 fills `<style>` elements and `style` attributes with text (DomRenderer, Viewport,
 * DomRendererRowFactory), which `style-src 'self'` blocks: colours and fonts of its DOM renderer
 * and the colour of its scroll bar would be missing. The elements made here look the same to
 * xterm.js and go through the CSSOM, which the policy allows. Not needed any more when xterm.js
 * uses constructed style sheets itself.
 */

import { type Disposable, DisposableStore, toDisposable } from "@/lib/disposable";

type CreateElement = (name: string, options?: ElementCreationOptions) => HTMLElement;

/** How many terminals need safe spans at present. */
let spanUsers = 0;

/** Wraps the page's document; disposing it removes every style sheet that was made through it. */
export class StyleSafeDocument implements Disposable {
  readonly #store = new DisposableStore();
  /** For xterm.js's option `documentOverride`. */
  readonly document: Document;

  constructor(private readonly real: Document) {
    const methods = new Map<PropertyKey, unknown>([["createElement", this.#createElement]]);
    this.document = new Proxy(real, {
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
  }

  /**
   * Run `action`, in which the page's own document makes safe elements too: an operator precedence
   * slip in xterm.js 6 (CoreBrowserTerminal.open) hands its Viewport that one in spite of the option.
   */
  during(action: () => void): void {
    const before = Object.getOwnPropertyDescriptor(this.real, "createElement");
    shadow(this.real, this.#createElement);
    try {
      action();
    } finally {
      Reflect.deleteProperty(this.real, "createElement");
      if (before !== undefined) Object.defineProperty(this.real, "createElement", before);
    }
  }

  /**
   * Make every span of the page safe until this is disposed: xterm.js 6 hands the row factory of its
   * DOM renderer the global document. Only for a terminal that draws without WebGL.
   */
  keepSpansSafe(): void {
    spanUsers += 1;
    if (spanUsers === 1) shadow(this.real, (name, options) => createAny(this.real, name, options));
    this.#store.add(
      toDisposable(() => {
        spanUsers -= 1;
        if (spanUsers === 0) Reflect.deleteProperty(this.real, "createElement");
      }),
    );
  }

  dispose(): void {
    this.#store.dispose();
  }

  readonly #createElement: CreateElement = (name, options) =>
    name === "style" ? this.#createStyle() : createAny(this.real, name, options);

  /** An element whose text becomes a constructed style sheet while it is in use. */
  #createStyle(): HTMLElement {
    const { real } = this;
    const sheet = new CSSStyleSheet();
    real.adoptedStyleSheets = [...real.adoptedStyleSheets, sheet];
    const adoption = this.#store.onDispose(() => {
      real.adoptedStyleSheets = real.adoptedStyleSheets.filter((other) => other !== sheet);
    });
    const element = createAny(real, "template");
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
}

function shadow(real: Document, value: CreateElement): void {
  Object.defineProperty(real, "createElement", { value, configurable: true });
}

function createAny(real: Document, name: string, options?: ElementCreationOptions): HTMLElement {
  const create = Reflect.get<Document, "createElement">(Document.prototype, "createElement");
  const element = create.call(real, name, options);
  return name === "span" ? makeSafe(element) : element;
}

/** Let `style` be set as an attribute on this element and on its clones. */
function makeSafe(element: HTMLElement): HTMLElement {
  element.setAttribute = setAttributeThroughCssom;
  element.cloneNode = cloneSafely;
  return element;
}

function setAttributeThroughCssom(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function cloneSafely(this: HTMLElement, isDeep?: boolean): Node {
  return makeSafe(Node.prototype.cloneNode.call(this, isDeep) as HTMLElement);
}
