// Elements, made without a word of markup: what a stranger wrote is text and stays text.

import { hostile } from "./text.js";

/** An element with a class, attributes and children; strings become text. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Text of a stranger: set apart from what is around it, and with what would hide or reorder made visible. */
export function foreign(text) {
  const bdi = document.createElement("bdi");
  let from = 0;
  for (const match of text.matchAll(hostile)) {
    if (match.index > from) bdi.append(text.slice(from, match.index));
    const point = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    bdi.append(el("span", { class: "escape", title: `U+${point}` }, `U+${point}`));
    from = match.index + match[0].length;
  }
  if (from < text.length) bdi.append(text.slice(from));
  return bdi;
}

/** Puts text into an element if it is not there yet: what did not change is not read out again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let toastTimer = 0;

/** Says something that goes away by itself. */
export function toast(text) {
  const element = document.getElementById("toast");
  element.replaceChildren(foreign(text));
  element.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.classList.remove("shown"), 1800);
}

/** Copies text, and says so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers want it the old way.
    const area = el("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    const before = document.activeElement;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus?.();
    if (!done) {
      toast("The browser does not allow copying");
      return;
    }
  }
  toast(`Copied ${what}`);
}
