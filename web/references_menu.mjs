// The menu of connected pictures that opens where `@` is typed in a prompt.

import { make } from "./dom.mjs";
import { begunName, offered, withName } from "./references.mjs";
import { text } from "./texts.mjs";

const BELOW = 4;
const ID = "kling-menu";

/** One menu for the whole editor: there is one caret. */
export class ReferencesMenu {
  #field = null;
  #choices = [];
  #active = 0;
  #typed = "";

  constructor() {
    this.element = make("div", {
      class: ID,
      id: ID,
      role: "listbox",
      // The caret stays in the prompt.
      pointerdown: (event) => event.preventDefault(),
      click: (event) => this.#clicked(event),
    });
  }

  /** Listens to a prompt's text field. `pictures()` tells { pictures, gap } at the moment. */
  attend(field, pictures) {
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-haspopup", "listbox");
    const look = () => this.#look(field, pictures);
    for (const kind of ["input", "click"]) field.addEventListener(kind, look);
    field.addEventListener("keyup", (event) => /^(Arrow(Left|Right)|Home|End)$/.test(event.key) && look());
    field.addEventListener("keydown", (event) => this.#keyed(event), true);
    field.addEventListener("blur", () => this.close());
  }

  close() {
    if (!this.#field) return;
    this.#field.removeAttribute("aria-activedescendant");
    this.#field.removeAttribute("aria-controls");
    this.#field = null;
    this.element.remove();
  }

  #look(field, pictures) {
    const caret = field.selectionStart;
    const typed = caret === field.selectionEnd ? begunName(field.value, caret) : null;
    if (typed === null) return this.close();
    const { pictures: there, gap } = pictures();
    const choices = gap === null ? offered(there, typed) : [];
    const complete = choices.length === 1 && choices[0].name.toLowerCase() === typed.toLowerCase();
    if (complete || (!choices.length && typed !== "@")) return this.close();
    this.#open(field, typed, choices, gap);
  }

  #open(field, typed, choices, gap) {
    if (this.#field !== field) this.close();
    const same = this.#field && choices.length === this.#choices.length;
    [this.#field, this.#typed, this.#choices, this.#active] = [field, typed, choices, same ? this.#active : 0];
    const hint = gap === null ? text("references.empty") : text("references.gapped", { socket: gap });
    const rows = choices.map((choice, place) => this.#row(choice, place));
    this.element.replaceChildren(...(rows.length ? rows : [saying(hint)]));
    this.element.setAttribute("aria-label", text("references.menu"));
    document.body.append(this.element);
    field.setAttribute("aria-controls", ID);
    this.#place(field);
    this.#mark();
  }

  #row({ name, url, from }, place) {
    const look = { class: "kling-menu-picture" };
    const picture = url ? make("img", { ...look, src: url, alt: "", draggable: "false" }) : make("span", look);
    const words = make("span", {}, name, make("small", {}, from));
    return make("div", { class: "kling-menu-row", id: `${ID}-${place}`, role: "option" }, picture, words);
  }

  #place(field) {
    const caret = caretOf(field, field.selectionStart - this.#typed.length);
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const under = caret.bottom + BELOW + height <= innerHeight;
    const left = Math.max(BELOW, Math.min(caret.left, innerWidth - width - BELOW));
    this.element.style.left = `${left}px`;
    this.element.style.top = `${under ? caret.bottom + BELOW : Math.max(BELOW, caret.top - BELOW - height)}px`;
  }

  #mark() {
    const rows = [...this.element.querySelectorAll("[role=option]")];
    rows.forEach((row, place) => row.setAttribute("aria-selected", String(place === this.#active)));
    const row = rows[this.#active];
    if (!row) return this.#field.removeAttribute("aria-activedescendant");
    this.#field.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  #keyed(event) {
    if (event.currentTarget !== this.#field || event.isComposing) return;
    const count = this.#choices.length;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Escape") this.close();
    else if (event.key in moves && count) this.#active = (this.#active + moves[event.key] + count) % count;
    else if ((event.key === "Enter" || event.key === "Tab") && count) this.#pick(this.#active);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#field) this.#mark();
  }

  #clicked(event) {
    const row = event.target.closest("[role=option]");
    if (row) this.#pick([...row.parentElement.children].indexOf(row));
  }

  #pick(place) {
    const [field, typed] = [this.#field, this.#typed];
    const put = withName(field.value, field.selectionStart, typed, this.#choices[place].name);
    this.close();
    field.value = put.text;
    field.setSelectionRange(put.caret, put.caret);
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  }
}

function saying(words) {
  return make("div", { class: "kling-menu-hint", role: "option", "aria-disabled": "true" }, words);
}

/** The line at character `place` of a text field, in the window's pixels: { left, top, bottom }. */
function caretOf(field, place) {
  const mirror = document.createElement("div");
  const style = getComputedStyle(field);
  for (const name of style) mirror.style.setProperty(name, style.getPropertyValue(name));
  mirror.style.cssText += "display: block; position: absolute; visibility: hidden; white-space: pre-wrap; height: auto";
  const mark = make("span", {}, "@");
  mirror.append(field.value.slice(0, place), mark, field.value.slice(place));
  document.body.append(mirror);
  const { offsetLeft, offsetTop, offsetHeight } = mark;
  mirror.remove();
  const box = field.getBoundingClientRect();
  const scale = box.width / (field.offsetWidth || 1);
  const top = box.top + (offsetTop - field.scrollTop) * scale;
  return { left: box.left + offsetLeft * scale, top, bottom: top + offsetHeight * scale };
}
