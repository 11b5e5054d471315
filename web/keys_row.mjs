// The settings' row for one provider's key. The key goes to the server once and is in no widget, setting or store.

import { make, say, show } from "./dom.mjs";
import { choices, hindrance, standing, verdict } from "./keys.mjs";
import { text } from "./texts.mjs";

/** The row for `provider`; fills itself once the server has told how the key stands. */
export function keyRow(provider, host) {
  const row = new KeyRow(provider, host);
  row.load();
  return row.element;
}

class KeyRow {
  #host;
  #provider;
  #told = null;

  constructor(provider, host) {
    [this.#provider, this.#host] = [provider, host];
    this.standing = make("span", { class: "kling-standing" });
    this.hindrance = make("small", {});
    this.buttons = make("div", { class: "kling-actions", role: "group" });
    this.message = make("p", { class: "kling-message", role: "status" });
    const masked = { type: "text", class: "kling-secret", autocomplete: "off", spellcheck: "false" };
    const keydown = (event) => this.#key(event);
    this.field = make("input", { ...masked, "data-1p-ignore": true, placeholder: text("keys.placeholder"), keydown });
    const save = button("keys.save", () => this.#save());
    const keep = button("keys.keep", () => this.#edit(false));
    this.form = make("div", { class: "kling-form", role: "group", hidden: true }, this.field, save, keep);
    const parts = [this.standing, this.buttons, this.form, this.hindrance, this.message];
    this.element = make("div", { class: "kling-key" }, parts);
  }

  async load() {
    await this.#try(async () => this.#show(await this.#host.get("/kling/keys")));
  }

  #show(told) {
    this.#told = told;
    const key = told.keys[this.#provider];
    say(this.standing, standing(key));
    say(this.hindrance, hindrance(key, told.changeable));
    this.field.setAttribute("aria-label", text("keys.field", { provider: key.title }));
    this.form.setAttribute("aria-label", key.title);
    this.buttons.setAttribute("aria-label", key.title);
    const edit = () => this.#edit(true);
    const doing = { set: edit, replace: edit, remove: () => this.#remove(), test: () => this.#test() };
    this.buttons.replaceChildren(...choices(key, told.changeable).map((name) => button(`keys.${name}`, doing[name])));
  }

  #edit(open) {
    this.field.value = "";
    show(this.form, open);
    show(this.buttons, !open);
    say(this.message, "");
    if (open) this.field.focus();
    else this.buttons.querySelector("button")?.focus();
  }

  #key(event) {
    // The settings would close with Escape, and ComfyUI's own keys must not act while somebody types.
    event.stopPropagation();
    if (event.key === "Enter") this.#save();
    if (event.key === "Escape") {
      event.preventDefault();
      this.#edit(false);
    }
  }

  async #save() {
    const key = this.field.value.trim();
    if (!key) return this.field.focus();
    this.field.value = "";
    return this.#try(async () => {
      this.#changed(await this.#host.send("PUT", this.#path, { key }));
      this.#edit(false);
      say(this.message, text("keys.now.saved"));
    });
  }

  async #remove() {
    await this.#try(async () => {
      this.#changed(await this.#host.send("DELETE", this.#path));
      this.buttons.querySelector("button")?.focus();
      say(this.message, text("keys.now.removed"));
    });
  }

  #changed(told) {
    this.#show(told);
    this.#host.keysChanged();
  }

  async #test() {
    const key = this.#told.keys[this.#provider];
    say(this.message, text("keys.testing", { provider: key.title }));
    await this.#try(async () => say(this.message, verdict(key, await this.#host.send("POST", `${this.#path}/test`))));
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      say(this.message, error.message);
    }
  }

  get #path() {
    return `/kling/keys/${this.#provider}`;
  }
}

const button = (key, click) => make("button", { type: "button", class: "kling-button", click }, text(key));
