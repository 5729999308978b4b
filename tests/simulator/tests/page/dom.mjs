// As much of a browser's document as page.js uses, by the DOM standard and no more: what is missing here throws.

class Node {
  parentNode = null;

  get nextSibling() {
    const siblings = this.parentNode?.childNodes ?? [];
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  remove() {
    const siblings = this.parentNode?.childNodes;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parentNode = null;
  }
}

class Text extends Node {
  nodeType = 3;
  nodeName = '#text';

  constructor(data) {
    super();
    this.data = data;
  }

  get textContent() {
    return this.data;
  }

  isEqualNode(other) {
    return other.nodeType === 3 && other.data === this.data;
  }
}

class Element extends Node {
  nodeType = 1;
  childNodes = [];
  animations = [];
  #values = new Map();

  constructor(name) {
    super();
    this.nodeName = name.toUpperCase();
  }

  get attributes() {
    return [...this.#values].map(([name, value]) => ({ name, value }));
  }

  getAttribute(name) {
    return this.#values.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.#values.set(name, String(value));
  }

  get id() {
    return this.getAttribute('id') ?? '';
  }

  set className(value) {
    this.setAttribute('class', value);
  }

  get dataset() {
    const values = this.#values;
    return new Proxy({}, {
      get: (_, name) => values.get(`data-${name}`),
      set: (_, name, value) => values.set(`data-${name}`, String(value)) && true,
      deleteProperty: (_, name) => values.delete(`data-${name}`) || true,
    });
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  insertBefore(node, before) {
    if (node === before) throw new Error('not needed here');
    node.remove();
    const at = before === null ? this.childNodes.length : this.childNodes.indexOf(before);
    if (at < 0) throw new Error('NotFoundError');
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
  }

  append(...nodes) {
    for (const node of nodes) this.insertBefore(typeof node === 'string' ? new Text(node) : node, null);
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join('');
  }

  set textContent(text) {
    for (const child of [...this.childNodes]) child.remove();
    this.append(text);
  }

  isEqualNode(other) {
    const [ours, theirs] = [this, other].map((node) => JSON.stringify([node.nodeName, node.attributes?.sort(byName)]));
    if (ours !== theirs || this.childNodes.length !== other.childNodes.length) return false;
    return this.childNodes.every((child, index) => child.isEqualNode(other.childNodes[index]));
  }

  /** `name`, `#id`, `[attribute]` or `[attribute=value]`. */
  matches(selector) {
    const [, name, id, attribute, value] = /^(?:(\w+)|#([\w-]+)|\[([\w-]+)(?:=([\w-]+))?\])$/.exec(selector);
    if (name) return this.nodeName === name.toUpperCase();
    if (id) return this.id === id;
    const have = this.getAttribute(attribute);
    return have !== null && (value === undefined || have === value);
  }

  closest(selector) {
    return this.matches(selector) ? this : this.parentNode instanceof Element ? this.parentNode.closest(selector) : null;
  }

  querySelectorAll(selector) {
    const elements = this.childNodes.filter((child) => child.nodeType === 1);
    return elements.flatMap((child) => [...(child.matches(selector) ? [child] : []), ...child.querySelectorAll(selector)]);
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  animate(...animation) {
    this.animations.push(animation);
  }
}

const byName = (one, other) => (one.name < other.name ? -1 : 1);

/** An element: `el('p', { id: 'x' }, 'text', el('b'))`. */
export function el(name, attributes = {}, ...children) {
  const element = new Element(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** A document whose body has these elements. `fire` calls what listens. */
export function documentOf(...elements) {
  const body = el('body', {}, ...elements);
  const listeners = {};
  return {
    body,
    hidden: false,
    documentElement: { classList: new Set() },
    createElement: (name) => new Element(name),
    getElementById: (id) => body.querySelector(`#${id}`),
    querySelector: (selector) => body.querySelector(selector),
    querySelectorAll: (selector) => body.querySelectorAll(selector),
    adoptNode: (node) => (node.remove(), node),
    addEventListener: (type, listener) => (listeners[type] = listener),
    fire: (type, event) => listeners[type](event),
  };
}

export const ELEMENT_NODE = 1;
