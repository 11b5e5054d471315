// One task in the list: what it is, how it stands, and what can be done with it. Changed in place, so that focus stays.

import { make, say, show } from "./dom.mjs";
import { advice, cost, duration, inputs, isOpen, mark, progress } from "./tasks.mjs";
import { text } from "./texts.mjs";

/** `act(name, task, ...)` does what a button says; `host` answers for ComfyUI. */
export class TaskRow {
  #host;
  #act;
  #shown = "";

  constructor(task, host, act) {
    [this.#host, this.#act] = [host, act];
    this.task = task;
    this.#build(task.handle);
    this.update(task);
  }

  /** Shows the task as it stands now. */
  update(task) {
    this.task = task;
    this.tick();
    const told = JSON.stringify(task);
    if (told === this.#shown) return;
    this.#shown = told;
    this.element.dataset.state = task.state;
    say(this.mark, mark(task));
    say(this.state, text(`state.${task.state}`));
    say(this.where, [place(task), cost(task)].join(" · "));
    say(this.reason, task.todo ? task.reason : "");
    say(this.advice, advice(task));
    show(this.notice, Boolean(task.todo));
    show(this.settle, task.todo === "settle");
    show(this.cancel, task.cancels);
    show(this.load, task.pictures > 0);
    this.#showPicture(task);
    this.more.setAttribute("aria-label", text("tasks.more", task));
    this.actions.setAttribute("aria-label", text("tasks.actions", task));
  }

  /** Lets time pass. */
  tick(now = Date.now() / 1000) {
    const running = isOpen(this.task);
    say(this.facts, duration(this.task, now));
    show(this.bar, running);
    if (running) this.bar.value = progress(this.task, now);
  }

  #build(handle) {
    const node = make("strong", {}, this.#host.nodeTitle(this.task.node));
    this.mark = make("span", { class: "kling-mark", "aria-hidden": "true" });
    this.state = make("span", {});
    this.where = make("div", { class: "kling-where" });
    this.facts = make("span", { class: "kling-facts" });
    this.bar = make("progress", { max: 1, "aria-label": text("tasks.progress") });
    this.picture = make("span", { class: "kling-picture", "aria-hidden": "true" });
    const more = { class: "kling-more", type: "button", "aria-expanded": "false", click: () => this.#toggle() };
    this.more = make("button", more, "⌄");
    this.cancel = button("do.cancel", () => this.#act("cancel", this.task, this.cancel));
    this.load = button("do.load", () => this.#act("load", this.task, this.load));
    const copy = button("do.copy", () => this.#act("copy", this.task, copy));
    const poll = button("do.poll", () => this.#act("poll", this.task, poll));
    this.actions = make("div", { class: "kling-actions", role: "group" }, copy, poll, this.load);
    this.inputs = make("dl", { class: "kling-inputs" });
    this.details = make("div", { class: "kling-details", hidden: true }, this.actions, this.inputs);
    const standing = make("div", { class: "kling-standing" }, this.mark, this.state, this.facts);
    const foot = make("div", { class: "kling-foot" }, this.where, this.cancel);
    const body = make("div", { class: "kling-body" }, node, standing, this.bar, foot);
    const line = make("div", { class: "kling-line" }, this.picture, body, this.more);
    this.element = make("li", { class: "kling-task" }, line, this.#buildNotice(handle), this.details);
  }

  #buildNotice(handle) {
    this.reason = make("p", { class: "kling-reason" });
    this.advice = make("p", {});
    const label = text("settle.id", { provider: this.task.provider });
    const plain = { type: "text", autocomplete: "off", spellcheck: "false" };
    const field = make("input", { ...plain, placeholder: label, "aria-label": label });
    const found = button("settle.found", () => this.#act("settle", this.task, found, { id: field.value.trim() }));
    found.disabled = true;
    field.addEventListener("input", () => (found.disabled = !field.value.trim()));
    field.addEventListener("keydown", (event) => event.key === "Enter" && !found.disabled && found.click());
    const never = button("settle.never", () => this.#act("settle", this.task, never, { created: false }));
    this.settle = make("div", { class: "kling-settle", role: "group", "aria-label": handle }, field, found, never);
    this.notice = make("div", { class: "kling-notice" }, this.reason, this.advice, this.settle);
    return this.notice;
  }

  #showPicture(task) {
    const there = task.pictures > 0;
    if (there === Boolean(this.picture.firstChild)) return;
    const alt = text("tasks.picture", task);
    const shown = { src: this.#host.thumbnail(task.handle), alt, loading: "lazy", width: 56, height: 56 };
    const image = there && make("img", shown);
    this.picture.replaceChildren(...(image ? [image] : []));
    this.picture.toggleAttribute("aria-hidden", !there);
    if (!there) this.picture.setAttribute("aria-hidden", "true");
  }

  async #toggle() {
    const open = this.details.hidden;
    show(this.details, open);
    this.more.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const whole = await this.#act("read", this.task, this.more);
    if (!whole) return;
    const pairs = inputs(whole).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    this.inputs.replaceChildren(...pairs);
  }
}

const place = (task) => text("tasks.at", task) + (task.count > 1 ? ` ${text("tasks.pictures", task)}` : "");

const button = (key, click) => make("button", { type: "button", class: "kling-button", click }, text(key));
