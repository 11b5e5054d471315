// What does not fit, said on the node itself: one line each, told to screen readers too.

import { make } from "./dom.mjs";
import { text } from "./texts.mjs";

export class Notes {
  #shown = "[]";

  /** `resized` is called whenever the height of the lines, in pixels, has changed. */
  constructor(resized) {
    this.list = make("div", { role: "status", "aria-label": text("notes.label") });
    this.element = make("div", { class: "kling-notes" }, this.list);
    this.height = 0;
    new ResizeObserver(() => {
      if (this.list.offsetHeight === this.height) return;
      this.height = this.list.offsetHeight;
      resized();
    }).observe(this.list);
  }

  get empty() {
    return !this.list.childElementCount;
  }

  /** Shows `notes`, each { field, serious, text }. Returns whether that changes anything. */
  show(notes) {
    const shown = JSON.stringify(notes);
    if (shown === this.#shown) return false;
    this.#shown = shown;
    this.list.replaceChildren(...notes.map(line));
    return true;
  }
}

function line({ serious, text: words }) {
  const icon = make("span", { "aria-hidden": "true" }, serious ? "⚠" : "ℹ");
  return make("p", { class: `kling-note${serious ? " kling-note-serious" : ""}` }, icon, make("span", {}, words));
}
